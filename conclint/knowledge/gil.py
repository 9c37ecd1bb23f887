"""Which calls compute with the GIL released, and which are known to hold it."""

from __future__ import annotations

from conclint.knowledge.names import below, members

# docs.python.org/3/library/hashlib.html: released above 2047 bytes; zlib.html, bz2.html, lzma.html, ctypes.html
# docs.python.org/3/glossary.html#term-global-interpreter-lock: "tasks such as compression or hashing"
STANDARD = frozenset(
    {
        "zlib.", "bz2.", "lzma.", "gzip.", "compression.", "hashlib.", "hmac.",
        # docs.python.org/3/library/ctypes.html: CDLL and WinDLL release it, PyDLL does not
        *below("ctypes", "CDLL. OleDLL. WinDLL. cdll. windll. oledll."),
        # Modules/_ssl.c, Modules/_sqlite: around every call into the library
        "ssl.", "sqlite3.Connection.", "sqlite3.Cursor.",
    }
)  # fmt: skip

# numpy.org/doc/stable/reference/thread_safety.html, pandas.pydata.org/docs, and the packages' own pages on threads:
# they release the GIL around their kernels, or may.
PACKAGES = frozenset(
    {
        "numpy.", "scipy.", "pandas.", "polars.", "pyarrow.", "torch.", "tensorflow.", "jax.", "cupy.", "numexpr.",
        "sklearn.", "numba.", "cv2.", "PIL.", "skimage.", "lxml.", "duckdb.", "h5py.", "xgboost.", "lightgbm.",
        "cryptography.", "bcrypt.", "nacl.", "argon2.", "zstandard.", "lz4.", "brotli.", "snappy.", "blosc.", "zstd.",
        "xxhash.", "blake3.", "tokenizers.", "onnxruntime.", "av.", "shapely.", "rasterio.", "pygit2.", "faiss.",
    }
)  # fmt: skip
RELEASES_GIL = STANDARD | PACKAGES

# docs.python.org/3/library/functions.html, stdtypes.html: operations on Python objects need the GIL
# docs.python.org/3/c-api/threads.html#releasing-the-gil-from-extension-code: only code that says so gives it up
BUILTINS = frozenset(
    {
        *below("builtins", "abs all any ascii bin bool bytearray bytes callable chr compile complex delattr"),
        *below("builtins", "dict dir divmod enumerate filter float format frozenset getattr globals hasattr hash"),
        *below("builtins", "hex id int isinstance issubclass iter len list locals map max memoryview min object oct"),
        *below("builtins", "ord pow property range repr reversed round set setattr slice sorted str sum super"),
        *below("builtins", "tuple type vars zip"),
        *below("builtins", "bool. bytearray. bytes. complex. dict. float. frozenset. int. list. memoryview. object."),
        *below("builtins", "range. set. slice. str. tuple. type."),
    }
)

# docs.python.org/3/library: Text Processing, Data Types, Numeric and Mathematical, Functional Programming,
# Python Language Services; Modules/_pickle.c, _json.c, binascii.c, _struct.c have no Py_BEGIN_ALLOW_THREADS
MODULES = frozenset(
    {
        "math.", "cmath.", "decimal.", "fractions.", "numbers.", "random.", "statistics.",
        "itertools.", "functools.", "operator.",
        "re.", "string.", "difflib.", "textwrap.", "unicodedata.", "struct.", "html.", "shlex.", "fnmatch.",
        "array.", "bisect.", "heapq.", "collections.", "copy.", "enum.", "types.", "weakref.", "graphlib.", "datetime.",
        "calendar.", "dataclasses.", "abc.",
        "ast.", "keyword.", "token.", "tokenize.generate_tokens", "tokenize.tokenize", "tokenize.untokenize", "dis.",
        *below("json", "dumps loads JSONEncoder. JSONDecoder."),
        *below("pickle", "dumps loads"), *below("marshal", "dumps loads"),
        *below("base64", "b64encode b64decode b32encode b32decode b16encode b16decode b85encode b85decode"),
        *below("base64", "standard_b64encode standard_b64decode urlsafe_b64encode urlsafe_b64decode"),
        *below("binascii", "hexlify unhexlify b2a_hex a2b_hex b2a_base64 a2b_base64 crc_hqx"),
        *below("pprint", "pformat saferepr isreadable"), "reprlib.",
        *below("urllib.parse", "urlparse urlsplit urlunparse urlunsplit urljoin quote unquote quote_plus unquote_plus "
                               "urlencode parse_qs parse_qsl urldefrag"),
        *below("xml.etree.ElementTree", "fromstring tostring Element. SubElement"),
        *below("os.path", "join split splitext basename dirname normpath normcase isabs commonpath splitdrive"),
        "uuid.", "ipaddress.", "secrets.", "copyreg.", "typing.cast",
        *below("time", "time time_ns monotonic perf_counter process_time strftime strptime gmtime localtime mktime"),
        *below("pathlib", "PurePath. PurePosixPath. PureWindowsPath. Path"),
        *below("csv", "field_size_limit"),
        *below("io", "StringIO StringIO. BytesIO BytesIO."),
        # github.com/ijl/orjson#serialize: the GIL "is held for the duration of the call"
        "orjson.",
        # requests.readthedocs.io/en/latest/api, www.python-httpx.org/api: these look at what has come
        "requests.Response.raise_for_status", "httpx.Response.raise_for_status",
    }
)  # fmt: skip
HOLDS_GIL = BUILTINS | MODULES

# What reads a text or a format as a whole, in the interpreter or holding the GIL: the larger it is, the longer.
# requests.readthedocs.io/en/latest/api, www.python-httpx.org/api: `json()` is `json.loads`
PARSES = frozenset(
    {
        "json.", "pickle.", "marshal.", "plistlib.", "tomllib.", "tomli.", "csv.", "configparser.", "xml.",
        "html.parser.", "ast.", "tokenize.", "difflib.", "email.", "orjson.", "ujson.", "yaml.",
        *below("re", "findall finditer sub subn split search match fullmatch Pattern."),
        *below("requests.Response", "json"), *below("httpx.Response", "json"),
    }
)  # fmt: skip

# Methods of strings and containers (docs.python.org/3/library/stdtypes.html) whose names nothing slow has: an object of
# unknown type that has one neither waits nor lets go of the GIL in it.
PLAIN_METHODS = members(
    """
    lower upper strip lstrip rstrip split rsplit splitlines startswith endswith find rfind index count isdigit
    isalpha isalnum isspace isupper islower isnumeric isidentifier title capitalize zfill ljust rjust center
    casefold partition rpartition translate removeprefix removesuffix append extend appendleft popleft pop
    popitem sort reverse items keys values add discard setdefault union intersection difference issubset
    issuperset bit_length most_common elements __init__
    """
)
