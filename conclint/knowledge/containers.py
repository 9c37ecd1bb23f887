"""Containers: what changes them, which steps are atomic, what copies them in one step.

Atomic is what the Python FAQ, "What kinds of global value mutation are thread-safe?", and the page "Thread Safety
Guarantees" (docs.python.org/3/library/threadsafety.html) promise for values with built-in `__eq__` and `__hash__`.
"""

from __future__ import annotations

from conclint.knowledge.names import below, members

# docs.python.org/3/library/stdtypes.html#mutable-sequence-types
_SEQUENCE = members("append extend insert pop remove clear reverse __setitem__ __delitem__ __iadd__ __imul__")
# docs.python.org/3/library/stdtypes.html#mapping-types-dict
_MAPPING = members("update setdefault pop popitem clear __setitem__ __delitem__ __ior__")
# docs.python.org/3/library/stdtypes.html#set-types-set-frozenset
_SET = members(
    "add remove discard pop clear update intersection_update difference_update symmetric_difference_update "
    "__ior__ __iand__ __isub__ __ixor__"
)

# Functions that change the container which they are given first, and the method that does the like.
# docs.python.org/3/library/heapq.html, bisect.html, random.html#random.shuffle
CHANGE_GIVEN = {
    "heapq.heappush": "add",
    "heapq.heappop": "pop",
    "heapq.heappushpop": "pop",
    "heapq.heapreplace": "pop",
    "heapq.heapify": "sort",
    **{f"bisect.{name}": "insert" for name in ("insort", "insort_left", "insort_right")},
    "random.shuffle": "sort",
}
# Of those, by their last names: what puts its second argument into its first.
PUSHING = frozenset({"heappush", "heappushpop", "heapreplace", "insort", "insort_left", "insort_right"})
GIVEN_TO = frozenset(name.rpartition(".")[2] for name in CHANGE_GIVEN)

# What a loop over the container does not survive, or leaves items out after; `append` is not among them.
UPSETTING = members("add remove discard pop popleft popitem clear difference_update intersection_update")

# docs.python.org/3/library/collections.html, array.html, weakref.html, types.html#types.MappingProxyType has none
MUTATORS: dict[str, frozenset[str]] = {
    "builtins.list": _SEQUENCE | {"sort"},
    "builtins.bytearray": _SEQUENCE,
    "builtins.dict": _MAPPING,
    "builtins.set": _SET,
    "collections.deque": _SEQUENCE | {"appendleft", "extendleft", "popleft", "rotate"},
    "collections.defaultdict": _MAPPING,
    "collections.OrderedDict": _MAPPING | {"move_to_end"},
    "collections.Counter": _MAPPING | {"subtract", "__iadd__", "__isub__", "__iand__"},
    "collections.ChainMap": _MAPPING,
    "collections.UserDict": _MAPPING,
    "collections.UserList": _SEQUENCE | {"sort"},
    "array.array": (_SEQUENCE - {"clear"}) | {"fromlist", "fromfile", "frombytes", "fromunicode", "byteswap"},
    "weakref.WeakValueDictionary": _MAPPING,
    "weakref.WeakKeyDictionary": _MAPPING,
    "weakref.WeakSet": _SET,
    "collections.abc.MutableSequence": _SEQUENCE - {"__imul__"},
    "collections.abc.MutableMapping": _MAPPING - {"__ior__"},
    "collections.abc.MutableSet": members("add remove discard pop clear __ior__ __iand__ __isub__ __ixor__"),
    # docs.python.org/3/library/os.html#os.environ
    "os._Environ": _MAPPING,
}  # fmt: skip

# Whatever changes one of these.
CHANGING = frozenset(method for methods in MUTATORS.values() for method in methods)

# docs.python.org/3/library/stdtypes.html#dictionary-view-objects: a walk fails when the size changes
HASHED = frozenset({"builtins.dict", "builtins.set", "collections.deque", "collections.defaultdict"}) | frozenset(
    {"collections.OrderedDict", "collections.Counter"}
)

# Python FAQ: L.append(x), L1.extend(L2), x = L.pop(), L1[i:j] = L2, L.sort(), D[x] = y, D1.update(D2)
# threadsafety.html#thread-safety-list: append, pop, clear, item write; insert, remove, reverse keep others out
# threadsafety.html#thread-safety-dict: item write and delete, pop, popitem, setdefault, clear, update with a dict
# threadsafety.html#thread-safety-set: add, remove, discard, pop, clear, updates from a set
# docs.python.org/3/library/collections.html#deque-objects: "thread-safe ... appends and pops from either side"
ATOMIC_WRITES = frozenset(
    {
        *below("builtins.list", "append extend pop clear sort insert remove reverse __setitem__ __delitem__ __iadd__"),
        *below("builtins.dict", "__setitem__ __delitem__ pop popitem setdefault clear update __ior__"),
        *below("builtins.set", "add remove discard pop clear update __ior__"),
        *below("builtins.set", "intersection_update difference_update symmetric_difference_update"),
        *below("builtins.set", "__iand__ __isub__ __ixor__"),
        *below("collections.deque", "append appendleft pop popleft"),
    }
)

# Python FAQ: x = L[i], D.keys(); threadsafety.html: d[key], d.get(key), key in d, len(d), views, copies, L1 + L2
ATOMIC_READS = frozenset(
    {
        *below("builtins.list", "__getitem__ __len__ __add__ __mul__ __rmul__ copy"),
        *below("builtins.dict", "__getitem__ get __contains__ __len__ __or__ copy keys values items"),
        *below("builtins.set", "__contains__ __len__ __or__ __and__ __sub__ __xor__ copy"),
        *below("collections.deque", "__getitem__ __len__"),
    }
)

# docs.python.org/3/library/threadsafety.html#thread-safety-list: without the GIL others see the list empty while it is
# sorted, and in between while items move
UNSTEADY = frozenset({"sort", "insert", "pop", "*="})

# These walk over what they are given in Python, item by item; the second needs this keyword for it.
# docs.python.org/3/library/json.html#json.dump, copy.html#copy.deepcopy
WALKING = {"json.dump": "", "json.dumps": "indent", "copy.deepcopy": ""}
# ... unless this keyword has them make a list first.
SORTING = "sort_keys"

# The same page promises copies of dicts and sets in one step, by `list`, `sorted`, `set`, `dict`; these go item by item
ITEM_BY_ITEM = frozenset({"sum", "max", "min", "any", "all", "tuple", "next"})
# Of a deque not even those.
OF_DEQUES = frozenset({"list", "sorted", "set", "frozenset", "deque"})

# Built in C, over a container of built-ins, without running Python code in between
SNAPSHOTS = frozenset(
    {
        *below("builtins", "list tuple dict set frozenset sorted"),
        *below("builtins.list", "copy"),
        *below("builtins.dict", "copy fromkeys"),
        *below("builtins.set", "copy"),
        *below("collections", "deque.copy defaultdict.copy OrderedDict.copy Counter.copy"),
        "copy.copy",
        "collections.deque",
    }
)
