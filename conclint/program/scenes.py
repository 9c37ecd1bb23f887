"""Makes the scenes: for each chosen file, the answers that its inspection will ask for."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from conclint.index.facts import FunctionFact, Kind, Touch
from conclint.knowledge import BUILTIN
from conclint.knowledge.handles import LAST_METHODS
from conclint.program.calls import Site
from conclint.program.contexts import CONCURRENT, Run, evidence, is_far
from conclint.program.deaf import is_deaf
from conclint.program.fates import fate_scene
from conclint.program.files import File
from conclint.program.pickles import Held
from conclint.program.pools import has_one_worker, pool_of
from conclint.program.prepared import prepared
from conclint.program.regions import Chosen, Regions, pieces
from conclint.program.scene import FateScene, FunctionScene, Named, RunScene, Scene, StartScene, TargetScene
from conclint.program.starters import Starters
from conclint.program.startsites import pool_options
from conclint.program.targets import target_scene
from conclint.program.values import Meaning, Sort, Store, function_id
from conclint.program.worked import MAKERS

if TYPE_CHECKING:
    from conclint.program.linking import Program

# What makes a handle whose fate rules ask about.
HANDLES = frozenset(
    {
        "threading.Thread",
        "threading.Timer",
        "multiprocessing.Process",
        "multiprocessing.pool.Pool",
        "concurrent.futures.Executor",
        "multiprocessing.shared_memory.SharedMemory",
    }
)

# Enough runs to show how a function comes to run elsewhere.
MOST_RUNS = 3

EMPTY = Named()


class Scenes:
    """Builds the scenes of one program."""

    def __init__(self, program: Program, regions: Regions) -> None:
        self._program = program
        self._regions = regions
        self._calls = program.calls
        self._spawned = {root.target for root in program.spawns.roots}
        self._known: dict[Meaning, Named] = {}

    def build(self, chosen: Chosen) -> dict[str, Scene]:
        """A scene for each chosen file."""
        made = ((path, self._scene(self._program.files[path], chosen[path])) for path in sorted(chosen))
        return {path: self._with_named(self._looked_for(scene)) for path, scene in made}

    def _scene(self, file: File, chosen: Mapping[int, set[int]]) -> Scene:
        regions = pieces(file, chosen)
        spans = tuple(span for region in regions for span in region)
        functions = file.body.functions.within_lines(spans)
        named = tuple(self._named(file, functions, spans))
        fates, starts = tuple(self._fates(file, functions, spans)), tuple(self._starts(file, spans))
        mentioned = {target for _, _, meaning in named for target in meaning.functions}
        stores = {one.store.root for _, _, one in named if one.store is not None}
        program, options = self._program, self._program.options
        return Scene(
            path=file.path,
            regions=regions,
            scopes=_scopes(file, functions, spans),
            functions=tuple(self._function(file, one) for one in functions),
            named=named,
            targets=self._targets(mentioned, fates, starts),
            fates=fates,
            starts=starts,
            states=tuple(sorted(stores & program.observed.keys())),
            guarded=tuple(sorted(stores & program.guarded.keys())),
            unpicklable=tuple(self._unpicklable(file, functions, named)),
            barren=tuple(sorted(self._barren(file, functions, spans))),
            timing=self._program.timings.of(file, functions, lambda line: _inside(line, spans)),
            free_threaded=options.free_threaded,
            target_version=options.target,
            extra=None if options.knowledge is BUILTIN else options.knowledge,
        )

    def _looked_for(self, scene: Scene) -> Scene:
        """The scene with what is to be observed."""
        around = self._regions
        return replace(
            scene,
            watched=scene.path in around.watched,
            walks=tuple(around.walks.get(scene.path, ())),
            lockers=around.lockers.get(scene.path, ()),
            waiting=tuple(around.waiting.get(scene.path, ())),
            rules=tuple(sorted(around.rules.get(scene.path, ()))),
        )

    def _with_named(self, scene: Scene) -> Scene:
        """The scene with what is known of the functions and queues that are named in it."""
        named = {function for _, _, meaning in scene.named for function in meaning.functions}
        results = self._program.results
        return replace(
            scene,
            joined=self._program.queues.joined(scene.named),
            coroutines=results.coroutines(named),
            unending=results.unending(named),
            prepared=tuple(prepared(self._calls, self._program.files[scene.path])),
        )

    # -- names

    def _named(
        self, file: File, functions: Iterable[FunctionFact], spans: tuple[tuple[int, int], ...]
    ) -> Iterator[tuple[str, str, Named]]:
        for function in functions:
            identity = function_id(file.path, function.qualname)
            given = {one.name for one in function.params if (identity, one.name) in self._program.names.passed}
            for path in sorted(_paths(function, spans) | given):
                meaning = self._program.names.meaning(file, function, path)
                named = self._meaning(meaning)
                if meaning.store is not None and meaning.store.sort == "attribute":
                    named = self._with_owner(file, function, path, named)
                if named != EMPTY:
                    yield function.qualname, path, named

    def _with_owner(self, file: File, function: FunctionFact, path: str, named: Named) -> Named:
        """How an attribute's object is reached: through the class itself, `Job.done`, `cls.done`, or some variable."""
        owner = self._program.names.meaning(file, function, path.rpartition(".")[0])
        through = any(value.sort is Sort.CLASS for value in owner.values)
        return named._replace(of_class=named.of_class or through, through_class=through, owner=owner.store)

    def _meaning(self, meaning: Meaning) -> Named:
        """The same object for the same meaning: there are few, and each may stand in many scenes."""
        known = self._known.get(meaning)
        if known is None:
            known = self._known[meaning] = self._find_meaning(meaning)
        return known

    def _find_meaning(self, meaning: Meaning) -> Named:
        names: dict[str, None] = {}
        functions: dict[str, None] = {}
        types: dict[str, None] = {}
        for value in meaning.values:
            if value.sort is Sort.FUNCTION:
                functions[value.name] = None
            elif value.sort is Sort.INSTANCE:
                known = (
                    self._program.names.classes.mro(value.name)
                    if ":" in value.name
                    else self._program.options.knowledge.ancestors(value.name)
                )
                types.update(dict.fromkeys(known))
            else:
                names.update(dict.fromkeys(self._calls.library_spellings(value)))
                if value.sort is Sort.CLASS:
                    names[value.name] = None
        store = meaning.store
        of_class = store is not None and store.sort == "attribute" and self._program.names.stores.of_class(store.root)
        return Named(tuple(names), tuple(functions), tuple(types), store, meaning.reach, of_class)

    # -- functions

    def _function(self, file: File, function: FunctionFact) -> FunctionScene:
        identity = function_id(file.path, function.qualname)
        runs = self._program.contexts.runs(identity)
        return FunctionScene(
            qualname=function.qualname,
            line=function.line,
            is_async=bool(function.kind & Kind.ASYNC),
            owner=function.owner,
            runs=tuple(self._run(run) for run in runs[:MOST_RUNS]),
            main=self._program.contexts.is_main(identity) if any(run.context in CONCURRENT for run in runs) else True,
        )

    def _run(self, run: Run) -> RunScene:
        starter = pool_of(self._calls, run.root.site)
        single = has_one_worker(self._calls, starter)
        lasting = run.root.how == "threading.Thread" and self._program.handles.fate(run.root.site).daemon is False
        barred = tuple(sorted(run.barred))
        how = run.root.how
        return RunScene(run.context, run.many, how, evidence(run), starter, single, lasting, barred, is_far(run))

    def _targets(
        self, mentioned: set[str], fates: tuple[FateScene, ...], starts: tuple[StartScene, ...]
    ) -> tuple[TargetScene, ...]:
        """What the file starts somewhere, or names although it is started somewhere."""
        called = mentioned & self._spawned
        called.update(*((*one.targets, *one.given) for one in fates), *(one.targets for one in starts))
        return tuple(target_scene(self._program, one) for one in sorted(called))

    def _unpicklable(
        self, file: File, functions: Iterable[FunctionFact], named: Iterable[tuple[str, str, Named]]
    ) -> Iterator[Held]:
        """Of the classes whose objects the file has in hand, where it may send them to a process."""
        if not MAKERS & file.roots:
            return
        classes = {function_id(file.path, one.owner): None for one in functions if one.owner}
        classes.update(dict.fromkeys(name for _, _, one in named for name in one.types[:1] if ":" in name))
        for cls in classes:
            yield from self._program.pickles.held(cls)

    def _barren(self, file: File, functions: Iterable[FunctionFact], spans: tuple[tuple[int, int], ...]) -> set[str]:
        """Functions whose result is an argument of some call, and surely nothing to call."""
        paths = {
            (function.qualname, path.removesuffix("()"))
            for function in functions
            for call in function.calls
            if _inside(call.line, spans)
            for path in (*call.args, *(path for _, path in call.keywords))
            if path.endswith("()")
        }
        called = (
            value
            for qualname, path in paths
            for value in self._program.names.meaning(file, file.body.functions[qualname], path).values
        )
        return {one.name for one in called if one.sort is Sort.FUNCTION and self._program.results.barren(one.name)}

    # -- handles

    def _fates(
        self, file: File, functions: Iterable[FunctionFact], spans: tuple[tuple[int, int], ...]
    ) -> Iterator[FateScene]:
        for function in functions:
            for call in function.calls:
                site = Site(file, function, call)
                if _inside(call.line, spans) and self._makes_handle(site):
                    fate = self._program.handles.fate(site)
                    targets = tuple(dict.fromkeys(self._run_by(site)))
                    given = self._starters.given(site)
                    told = self._program.stops.told(site, (*targets, *given))
                    made = fate_scene(call, fate, targets, told=told, repeated=self._calls.repeated(site))
                    mortal = all(self._mortal(store) for store in fate.stores)
                    method = self._program.start_methods.of(site)
                    made = replace(made, protocol=self._has_protocol(site), start_method=method)
                    once = self._calls.once(site)
                    yield replace(made, given=given, mortal=mortal, once=once, deaf=is_deaf(self._calls, site))

    def _mortal(self, store: Store) -> bool:
        """Whether who keeps a handle there comes to an end before the process does."""
        if store.sort != "attribute":
            return store.sort == "local"
        return any(self._calls.method(store.owner, name) for name in LAST_METHODS)

    def _has_protocol(self, site: Site) -> bool:
        """Whether an object of a class of the program offers others more to call than `run`."""
        made = [value.name for value in self._calls.meaning(site).values if value.sort is Sort.CLASS]
        names = self._program.names
        facts = (names.scopes.class_(one)[1] for cls in made for one in names.classes.mro(cls) if ":" in one)
        offered = {name for fact in facts if fact is not None for name, _ in fact.methods if not name.startswith("_")}
        return bool(offered - {"run"})

    def _run_by(self, site: Site) -> Iterator[str]:
        """What a thread or process runs: its target, or the `run` of its class."""
        yield from (root.target for root in self._starters.in_file(site.file.path).get(site.call, ()))
        for value in self._calls.meaning(site).values:
            if value.sort is Sort.CLASS and (method := self._calls.method(value.name, "run")):
                yield method

    @cached_property
    def _starters(self) -> Starters:
        return Starters(self._program.spawns.roots)

    def _starts(self, file: File, spans: tuple[tuple[int, int], ...]) -> Iterator[StartScene]:
        for call, roots in self._starters.in_file(file.path).items():
            if _inside(call.line, spans):
                targets = tuple(dict.fromkeys(root.target for root in roots))
                handed = all(root.handed for root in roots)
                how, context = roots[0].how, roots[0].context
                origin = roots[0].origin
                options = pool_options(origin) if handed and origin is not None else ()
                yield StartScene(call.line, call.column, call.func, how, targets, context, handed, options)

    def _makes_handle(self, site: Site) -> bool:
        last = site.call.func.rpartition(".")[2]
        if not last or not (last[0].isupper() or "_" in last):
            return False
        called = self._program.names.meaning(site.file, site.function, site.call.func + "()")
        return any(
            HANDLES & {*self._meaning(Meaning((value,))).types}
            for value in called.values
            if value.sort is Sort.INSTANCE
        )


def _scopes(
    file: File, functions: Iterable[FunctionFact], spans: tuple[tuple[int, int], ...]
) -> tuple[tuple[str, int], ...]:
    """The functions and classes of the regions, and their lines."""
    scopes = [(one.qualname, one.line) for one in functions if one.qualname]
    scopes += [(one.qualname, one.line) for one in file.body.classes.values() if _inside(one.line, spans)]
    return tuple(sorted(scopes))


def _paths(function: FunctionFact, spans: tuple[tuple[int, int], ...]) -> set[str]:
    """Every path of the function that its inspection may ask about."""
    found: set[str] = set()
    for call in function.calls:
        if _inside(call.line, spans):
            found.add(call.func)
            found.add(call.func.rpartition(".")[0])
            found.update(call.args)
            found.update(path for _, path in call.keywords)
    for path, bits, line in function.touches:
        if _inside(line, spans) or function.qualname == "":
            found.add(path)
            found.update((path.rpartition(".")[0],) if bits & Touch.AUGMENTED else ())
    for target, path in function.binds:
        found.add(target)
        found.add(path)
    found.update(function.returns)
    found.update(function.decorators)
    found.update(function.wrappers)
    if function.name == "__init__" and function.params:
        found.add(function.params[0].name)
    return {path for path in found if path and path[0] not in "=:" and path != "*"}


def _inside(line: int, spans: tuple[tuple[int, int], ...]) -> bool:
    found = bisect_right(spans, (line, sys.maxsize)) - 1
    return found >= 0 and line <= spans[found][1]
