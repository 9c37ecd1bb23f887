"""What surely happens before what: code that runs before a thread is started, or after it has ended."""

from __future__ import annotations

from collections.abc import Iterator

from conclint.index.facts import CallFact, Touch, Use
from conclint.knowledge.lives import JOINS, STARTS
from conclint.knowledge.starting import WAITING
from conclint.program.calls import Site
from conclint.program.deeds import CONSTRUCTION
from conclint.program.deep import READ, is_own
from conclint.program.entry import Entry
from conclint.program.linking import Program
from conclint.program.names import PROPERTIES
from conclint.program.observations import Point
from conclint.program.spawns import Root
from conclint.program.startsites import ends_with_block
from conclint.program.testfiles import only_tests
from conclint.program.values import Store, function_id, split_id

ENDINGS = ("join", "shutdown", "result", "wait", "terminate")

POOLS = ("concurrent.futures.", "multiprocessing.")

# Callers of callers are followed so far.
DEEPEST = 4

# A function with so many ways to it is everybody's.
MOST_CALLERS = 300


class HappensBefore:
    """Order between points of the main thread and the lives of threads."""

    def __init__(self, program: Program, entry: Entry) -> None:
        self._program = program
        self._entry = entry
        self._known: dict[tuple[Point, int], bool] = {}
        self._leading: dict[int, dict[str, list[int]]] = {}

    def ordered(self, point: Point, root: Root) -> bool:
        """Whether the point, reached by the main thread, surely comes before the root's start or after its end."""
        key = (point, root.number)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (
                point.joined
                or self._waits(root)
                or self._suspended(point.function, root, DEEPEST)
                or self._never_both(point, root)
                or self._apart(point, root)
                or (self._within_starter(root) and not self._from_starter(point.function, root))
                or self._called_apart(point.function, root, DEEPEST)
            )
        return known

    def _waits(self, root: Root) -> bool:
        """Whether main waits at the start until all is done: `pool.starmap(work, rows)`, a helper that joins."""
        waits = root.waited or (root.how.startswith("multiprocessing.") and root.how.rpartition(".")[2] in WAITING)
        return waits and not self._program.contexts.runs(root.site.caller)

    def _suspended(self, function: str, root: Root, depth: int) -> bool:
        """Whether only the coroutine that awaits the work in the thread leads here: it stands still meanwhile."""
        if not root.site.call.use & Use.AWAITED or not depth:
            return False
        if function == root.site.caller:
            return True
        callers = {site.caller for site in self._program.calls.callers(function)}
        return bool(callers) and all(self._suspended(one, root, depth - 1) for one in callers)

    def _never_both(self, point: Point, root: Root) -> bool:
        """Whether a setting decides between the two: `if options.background: thread.start()`, `else: work()`."""
        if not point.under:
            return False
        sites = (root.site, *self._fate(root, *STARTS))
        starts = [self._entry.point(site) for site in sites if site.caller == point.function]
        return any(start is not None and start.excludes(point) for start in starts[:1]) or (
            len(starts) > 1 and all(start is not None and start.excludes(point) for start in starts[1:])
        )

    def _within_starter(self, root: Root) -> bool:
        """Whether the function that starts the thread also sees its end: main is nowhere else meanwhile."""
        starter = root.site.caller
        if self._stays_in_loop(root):
            return True
        if root.how.startswith(POOLS) and ends_with_block(root.site):
            return not self._program.contexts.runs(starter)
        return any(
            site.caller == starter and site.call.line >= root.site.call.line for site in self._fate(root, *JOINS)
        )

    @staticmethod
    def _stays_in_loop(root: Root) -> bool:
        """Whether all that the starter does after the start, up to its end, is in a loop: main stays there."""
        later = [call for call in root.site.function.calls if call.line > root.site.call.line]
        return bool(later) and bool(later[-1].use & Use.LOOP) and not root.site.call.use & Use.LOOP

    def _from_starter(self, function: str, root: Root) -> bool:
        """Whether main may be there while the starter waits: in the starter itself, or called by it."""
        seen = {function}
        fresh = [function]
        while fresh and len(seen) < MOST_CALLERS:
            callers = [site.caller for one in fresh for site in self._program.calls.callers(one)]
            fresh = [one for one in dict.fromkeys(callers) if one not in seen]
            seen.update(fresh)
        return root.site.caller in seen

    def one_after_the_other(self, one: Root, other: Root) -> bool:
        """Whether one of two threads has surely ended when the other is started."""
        if self._waits(one) and self._waits(other):
            return True  # main is in one place
        return self._started_apart(one, other) or self._started_apart(other, one)

    def _started_apart(self, one: Root, other: Root) -> bool:
        point = self._entry.point(one.site)
        return point is not None and self._ended(point, other)

    def made_before(self, function: str, root: Root, depth: int = DEEPEST) -> bool:
        """Whether main has run the function before it starts the thread: what it makes is there then."""
        for site in self._ways(function):
            if not site.call.use & Use.BRANCH and not self._program.contexts.runs(site.caller):
                starts = self._starts(site.caller, root)
                if starts and site.call.line < min(starts):
                    return True
                if not starts and depth and self.made_before(site.caller, root, depth - 1):
                    return True
        return False

    def _ways(self, function: str) -> Iterator[Site]:
        """The calls of a function; for a property, where methods of the object read it."""
        calls = self._program.calls
        yield from calls.callers(function)
        _, fact = calls.function(function)
        if fact.owner and not PROPERTIES.isdisjoint(fact.decorators):
            owner = function_id(split_id(function)[0], fact.owner)
            for file, reader, receiver in calls.names.stores.users(Store("attribute", owner, fact.name)):
                for path, bits, line in reader.touches:
                    if bits & Touch.READ and f"{path}.".startswith(f"{receiver}{fact.name}."):
                        yield Site(file, reader, CallFact(path, line, 1, (), (), Use.NONE, READ))

    # -- one function

    def _apart(self, point: Point, root: Root) -> bool:
        if not split_id(point.function)[1] and not self._starts(point.function, root):
            return True  # a module's own code runs while it is imported
        return self._ended(point, root) or self._not_started(point, root)

    def _not_started(self, point: Point, root: Root) -> bool:
        starts = self._starts(point.function, root)
        return bool(starts) and all(line > point.until for line in starts)

    def _starts(self, function: str, root: Root) -> list[int]:
        """The lines of a function at which the thread begins to live, or something is called that starts it."""
        begun = self._fate(root, *STARTS)
        found = [site.call.line for site in begun if site.caller == function]
        if root.site.caller == function and not begun:
            return [root.site.call.line]
        return found or self._starters(root).get(function, [])

    def _starters(self, root: Root) -> dict[str, list[int]]:
        """The functions that lead to the start, with the lines of the calls that do."""
        known = self._leading.get(root.number)
        if known is None:
            known = self._leading[root.number] = {}
            begun = dict.fromkeys(site.caller for site in self._fate(root, *STARTS) or (root.site,))
            for _ in range(DEEPEST):
                sites = [site for one in begun for site in self._program.calls.callers(one)]
                begun = dict.fromkeys(site.caller for site in sites if site.caller not in known)
                for site in sites:
                    known.setdefault(site.caller, []).append(site.call.line)
        return known

    def _ended(self, point: Point, root: Root) -> bool:
        ends = {site.call.line for site in self._fate(root, *ENDINGS) if site.caller == point.function}
        inside = self._starts(point.function, root) if point.after else []
        return any(
            (first == last and first in ends) or any(first <= line <= last for line in inside if first != last)
            for first, last in point.after
        )

    def _fate(self, root: Root, *methods: str) -> tuple[Site, ...]:
        return self._program.handles.fate(root.site).sites(*methods)

    # -- over functions

    def _called_apart(self, function: str, root: Root, depth: int) -> bool:
        """Whether every call of the function in main comes before the start or after the end."""
        if depth == 0 or self._starts(function, root):
            return False
        contexts = self._program.contexts
        home = split_id(function)[0]
        earnest = (site for site in self._callers(function) if not only_tests(home, site.file.path))
        callers = [site for site in earnest if contexts.is_main(site.caller)]
        return bool(callers) and all(self._call_apart(site, root, depth) for site in callers)

    def _callers(self, function: str) -> tuple[Site, ...]:
        """The calls that run it; for a function that another one makes and returns, that one's calls."""
        calls = self._program.calls
        found = calls.callers(function)
        path, qualname = split_id(function)
        outer, _, name = qualname.rpartition(".")
        maker = calls.files[path].function(outer) if outer and not found else None
        return calls.callers(function_id(path, outer)) if maker is not None and name in maker.returns else found

    def _call_apart(self, site: Site, root: Root, depth: int) -> bool:
        starts = self._starts(site.caller, root)
        if not site.function.qualname and not starts:
            return True  # while the module is imported
        if _chained(site, starts) if starts else is_own(site) and site.function.name in CONSTRUCTION:
            return True
        point = self._entry.point(site)
        if point is None:
            in_order = bool(starts) and site.call.line < min(starts) and not site.call.use & Use.LOOP
            return in_order or self._called_apart(site.caller, root, depth - 1)
        if point.joined or self._never_both(point, root) or self._apart(point, root):
            return True
        elsewhere = self._within_starter(root) and not self._from_starter(site.caller, root)
        return elsewhere or self._called_apart(site.caller, root, depth - 1)


def _chained(site: Site, starts: list[int]) -> bool:
    """Whether what the call gives is what starts it: `Sampler().add(name, source).start()`."""
    line, chain = site.call.line, site.call.func + "()."
    follows = any(one.line == line and one.func.startswith(chain) for one in site.function.calls)
    return follows and all(start >= line for start in starts)
