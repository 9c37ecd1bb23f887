"""What a file's threads depend on in time: flags that they poll, attributes they read as soon as they are started."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from conclint.index.facts import CallFact, FunctionFact, Touch, Use
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
                reads |= self._reads(target, DEEPEST)
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

    def _reads(self, identity: str, depth: int) -> set[str]:
        """The attributes of its object that a method reads, or that the methods read that it calls."""
        file, function = self._calls.function(identity)
        if not function.params:
            return set()
        own = function.params[0].name + "."
        read = [path for path, bits, _ in function.touches if bits & Touch.READ]
        read += [call.func for call in function.calls]
        found = {path.partition(".")[2] for path in read if path.startswith(own)}
        names = {path.partition(".")[0].partition("[")[0].partition("(")[0] for path in found}
        for call in function.calls if depth else ():
            if call.func.startswith(own) and "." not in call.func[len(own) :]:
                for value in self._calls.targets(file, function, call.func):
                    if value.sort is Sort.FUNCTION and value.owner:
                        names |= self._reads(value.name, depth - 1)
        return names
