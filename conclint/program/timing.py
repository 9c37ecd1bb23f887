"""What a file's threads depend on in time: flags that they poll, attributes they read as soon as they are started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from conclint.index.facts import CallFact, FunctionFact, Touch, Use
from conclint.knowledge.waiting import WAITS, Wait
from conclint.program.calls import Calls, Site
from conclint.program.contexts import Contexts
from conclint.program.files import File
from conclint.program.flags import Flags
from conclint.program.scene import Early, Timing
from conclint.program.spawns import Root
from conclint.program.testfiles import is_test
from conclint.program.values import Sort, function_id, module_name, split_id

STARTS = frozenset({"threading.Thread.start", "concurrent.futures.ThreadPoolExecutor.submit"})
METHODS = frozenset({"start", "submit"})

# Methods of methods are followed so deep.
DEEPEST = 3

# What a thread waits for until another one sends it something; and how that is sent.
SENT = Wait.QUEUE | Wait.EVENT | Wait.CONDITION
SENDING = frozenset({"put", "put_nowait", "set", "notify", "notify_all"})
NEVER = 1 << 30
AT_ONCE = frozenset({("block", "=False"), ("timeout", "=0")})


class Timings:
    """Answers for the files of one program."""

    def __init__(self, calls: Calls, contexts: Contexts, roots: Iterable[Root]) -> None:
        self._calls = calls
        self._flags = Flags(calls, contexts)
        self._targets: dict[tuple[str, CallFact], list[str]] = {}
        for root in roots:
            self._targets.setdefault((root.site.file.path, root.site.call), []).append(root.target)

    def of(self, file: File, functions: Iterable[FunctionFact], inside: Callable[[int], bool]) -> Timing:
        """What is known of the functions of the file, and of its calls on lines `inside`."""
        some = tuple(functions)
        polled = {store for function in some for store in self._flags.polled(file, function)}
        early = [one for function in some for one in self._early(file, function, inside)]
        return Timing(tuple(sorted(polled)), tuple(early), self._is_imported(file))

    def _is_imported(self, file: File) -> bool:
        """Whether another file of the program imports this one, a test apart."""
        stem = module_name(file.path)
        files = self._calls.files
        for other in files.imports.near(file.path, stem):
            if other.path == file.path or is_test(other.path):
                continue
            for one in other.header.imports:
                if stem in one.target.split(".") and self._means(other, one.name, file):
                    return True
        return False

    def _means(self, importer: File, name: str, file: File) -> bool:
        """Whether what the importer calls so is the file, or stands in it."""
        values = self._calls.names.meaning(importer, importer.body.functions[""], name).values if name else ()
        return any(value.name.partition(":")[0] == file.path for value in values)

    # -- threads that a constructor starts

    def _early(self, file: File, function: FunctionFact, inside: Callable[[int], bool]) -> Iterator[Early]:
        if function.name != "__init__" or not function.params or not function.owner:
            return
        cls, receiver = function_id(file.path, function.owner), function.params[0].name
        for call in function.calls:
            if not inside(call.line):
                continue
            reads: set[str] = set()
            for target in self._begun_by(cls, Site(file, function, call), receiver):
                reads |= self._reads(target, DEEPEST, _fed(function, receiver))[0]
            if reads:
                yield Early(call.line, call.column, tuple(sorted(reads)))

    def _begun_by(self, cls: str, site: Site, receiver: str) -> Iterator[str]:
        """The methods of the object that run in a thread from this call on: it starts one, or what it calls does."""
        if self._starts(site):
            yield from self._run_by(cls, site, receiver)
        elif site.call.func in ("super().__init__", f"{receiver}.{site.call.func.rpartition('.')[2]}"):
            for value in self._calls.targets(site.file, site.function, site.call.func):
                if value.sort is Sort.FUNCTION and value.owner:
                    file, helper = self._calls.function(value.name)
                    own = helper.params[0].name if helper.params else ""
                    for call in helper.calls:
                        inner = Site(file, helper, call)
                        if not call.use & Use.BRANCH and self._starts(inner):
                            yield from self._run_by(cls, inner, own)

    def _starts(self, site: Site) -> bool:
        method = site.call.func.rpartition(".")[2]
        return method in METHODS and bool(STARTS & self._calls.library_names(site))

    def _run_by(self, cls: str, start: Site, receiver: str) -> Iterator[str]:
        """The methods of the object itself, of class `cls`, that the thread runs."""
        file, function, owner = start.file, start.function, start.call.func.rpartition(".")[0]
        if owner == receiver and (run := self._calls.method(cls, "run")):
            yield run
        for call in function.calls:
            made = owner in call.goes or (owner == call.func + "()" and "$attr.start" in call.goes)
            if made or call is start.call:
                for target in self._targets.get((file.path, call), ()):
                    yield from self._own(cls, target)

    def _own(self, cls: str, target: str) -> Iterator[str]:
        """The target, if it is what an object of the class has under that name, and no other."""
        _, function = self._calls.function(target)
        if function.owner and self._is_own(cls, target) and self._calls.method(cls, function.name) == target:
            yield target

    def _is_own(self, cls: str, target: str) -> bool:
        path, _ = split_id(target)
        owner = function_id(path, self._calls.function(target)[1].owner)
        mro = self._calls.names.classes.mro
        return owner in mro(cls) or cls in mro(owner)

    def _reads(self, identity: str, depth: int, fed: frozenset[str]) -> tuple[set[str], bool]:
        """The attributes that a method of the object reads, with the methods that it calls, and whether it waits.

        What is read after the first wait for others, who cannot have the object yet, is read late enough.
        """
        file, function = self._calls.function(identity)
        if not function.params:
            return set(), False
        own = function.params[0].name + "."
        until, waiting = self._waits_at(file, function, own, fed)
        inner: list[tuple[int, set[str]]] = []
        for call in function.calls if depth else ():
            if call.func.startswith(own) and "." not in call.func[len(own) :]:
                for value in self._calls.targets(file, function, call.func):
                    if value.sort is Sort.FUNCTION and value.owner:
                        deeper, waits = self._reads(value.name, depth - 1, fed)
                        inner.append((call.line - waits, deeper))
                        if waits and call.line < until and not call.use & Use.BRANCH:
                            until, waiting = call.line, call.func
        read = [(path, line) for path, bits, line in function.touches if bits & Touch.READ]
        read += [(call.func, call.line) for call in function.calls]
        early = [path for path, line in (*read, (waiting, 0)) if path.startswith(own) and line < until]
        names = {path.split(".")[1].partition("[")[0].partition("(")[0] for path in early}
        return names.union(*(deeper for line, deeper in inner if line < until)), until < NEVER

    def _waits_at(self, file: File, function: FunctionFact, own: str, fed: frozenset[str]) -> tuple[int, str]:
        """On which line a method first waits for something of the object's own that its constructor does not feed."""
        calls = (
            (call.line, call.func)
            for call in function.calls
            if not call.use & Use.BRANCH and not _goes_on(call)
            if call.func.startswith(own) and call.func.rpartition(".")[0].removeprefix(own) not in fed
            if any(WAITS.get(name, Wait.NONE) & SENT for name in self._calls.library_names(Site(file, function, call)))
            if self._makes_itself(file, function, call.func.rpartition(".")[0])
        )
        return min(calls, default=(NEVER, ""))

    def _makes_itself(self, file: File, function: FunctionFact, path: str) -> bool:
        """Whether nobody hands in what the path means: its own code makes it, with nothing in it."""
        store = self._calls.names.meaning(file, function, path).store
        puts = [made for _, _, made in self._calls.names.stores.puts(store)] if store is not None else []
        given = [made for made in puts if made[:1] != ":"]  # an annotation tells only of which class it is
        return bool(given) and all(made.endswith("()") for made in given)


def _goes_on(call: CallFact) -> bool:
    """Whether it comes back although nobody has sent anything: `get(block=False)`, `wait(5)`."""
    limited = call.func.endswith(".wait") and bool(call.args or call.keywords)
    return limited or bool(AT_ONCE & {*call.keywords}) or call.args[:1] == ("=False",)


def _fed(constructor: FunctionFact, receiver: str) -> frozenset[str]:
    """The attributes to which a constructor sends something itself."""
    sent = (call.func.split(".") for call in constructor.calls)
    return frozenset(one[1] for one in sent if len(one) == 3 and one[0] == receiver and one[2] in SENDING)
