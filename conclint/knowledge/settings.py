"""What a process has once for all its threads, and what sets it.

A call under one of the names sets it; so does assigning to the name, or to one of its items.
"""

from __future__ import annotations

from conclint.knowledge.kinds import Setting
from conclint.knowledge.names import below, each

# docs.python.org/3/library/os.html#os.chdir, contextlib.html#contextlib.chdir: "changing a global state, the working
# directory, is not suitable for use in most threaded or async contexts"
DIRECTORY = each(["os.chdir", "os.fchdir", "os.chroot", "contextlib.chdir"], Setting.DIRECTORY)

# docs.python.org/3/library/os.html#os.environ, #os.putenv, #os.umask, #os.setuid; docs.python.org/3.15/library/
# threadsafety.html; man7.org/linux/man-pages/man3/setenv.3.html: "MT-Unsafe const:env"
ENVIRONMENT = {
    **each(
        ["os.environ", "os.environb", *below("os.environ", "update setdefault pop popitem clear __setitem__")],
        Setting.ENVIRONMENT,
    ),
    **each(below("os", "putenv unsetenv"), Setting.ENVIRONMENT),
    "os.umask": Setting.MASK,
    **each(below("os", "setuid setgid seteuid setegid setreuid setregid setgroups initgroups"), Setting.USER),
}

# docs.python.org/3/library/signal.html#signals-and-threads: "only ... from the main thread of the main interpreter"
SIGNALS = each(below("signal", "signal set_wakeup_fd alarm setitimer"), Setting.SIGNALS)

# docs.python.org/3/library/locale.html#locale.setlocale: "not thread-safe on most systems"
LOCALE = each(["locale.setlocale"], Setting.LOCALE)

# docs.python.org/3/library/warnings.html#warnings.catch_warnings: "replaces and restores" the module's own state
WARNINGS = each(["warnings.catch_warnings", "warnings.filters"], Setting.WARNINGS)

# matplotlib.org/stable/users/faq.html#work-with-threads: "Matplotlib is not thread-safe"
FIGURE = each(
    below(
        "matplotlib.pyplot",
        "figure subplots subplot subplot_mosaic axes gca gcf sca clf cla close show draw pause savefig suptitle title "
        "xlabel ylabel xlim ylim xticks yticks axis grid legend colorbar tight_layout text annotate plot scatter bar "
        "barh hist hist2d boxplot violinplot pie fill_between contour contourf imshow matshow pcolormesh errorbar step "
        "semilogx semilogy loglog axhline axvline",
    ),
    Setting.FIGURE,
)

# docs.python.org/3/library/random.html#random.seed: one hidden instance for all;
# numpy.org/doc/stable/reference/random/generated/numpy.random.seed.html, pytorch.org/docs/stable/notes/randomness.html
RANDOM = each(
    [
        *below("random", "seed setstate"),
        *below("numpy.random", "seed set_state"),
        *below("torch", "manual_seed seed set_rng_state random.manual_seed"),
        *below("tensorflow", "random.set_seed set_random_seed"),
    ],
    Setting.RANDOM,
)

# docs.python.org/3/library/contextlib.html#contextlib.redirect_stdout: "not suitable for use in library code and most
# threaded applications"
STREAMS = each(
    [*below("contextlib", "redirect_stdout redirect_stderr"), *below("sys", "stdout stderr stdin")], Setting.STREAMS
)

# docs.python.org/3/library/tempfile.html#tempfile.tempdir
TEMPORARY = each(["tempfile.tempdir"], Setting.TEMPORARY)

# docs.python.org/3/library/tempfile.html#tempfile.mktemp: "someone may have beaten you to the punch"
TEMPORARY |= each(["tempfile.mktemp"], Setting.TEMPORARY)

# Where another worker's file of the same name would be: docs.python.org/3/library/functions.html#open, pathlib.html
OPENING = frozenset({"builtins.open", "codecs.open", "gzip.open", "pathlib.Path.open"})
WRITING_WHOLE = frozenset({"pathlib.Path.write_text", "pathlib.Path.write_bytes"})

# What stands there is no file: docs.kernel.org/filesystems/proc.html
DEVICES = ("/dev/", "/proc/", "/sys/", "NUL", "CON")

# boto3.amazonaws.com/v1/documentation/api/latest/guide/session.html: what is asked for without a session comes from the
# default one, and "Session objects are not thread safe"
SESSION = each(below("boto3", "client resource"), Setting.SESSION)

# docs.python.org/3/library: socket.html, sys.html, gc.html, faulthandler.html, threading.html, time.html, resource.html
OTHER = each(
    [
        "socket.setdefaulttimeout",
        *below("sys", "setrecursionlimit setswitchinterval set_int_max_str_digits setdlopenflags"),
        *below("gc", "disable enable set_threshold"),
        *below("faulthandler", "enable disable dump_traceback_later"),
        *below("threading", "stack_size setprofile settrace excepthook"),
        "time.tzset",
        *below("resource", "setrlimit"),
        *below("logging", "basicConfig disable setLoggerClass setLogRecordFactory"),
        *below("multiprocessing", "set_start_method"),
        *below("numpy", "set_printoptions"),
        *below("torch", "set_default_dtype set_default_device set_num_threads"),
    ],
    Setting.OTHER,
)
PROCESS_WIDE = {
    **DIRECTORY,
    **ENVIRONMENT,
    **SIGNALS,
    **LOCALE,
    **WARNINGS,
    **FIGURE,
    **RANDOM,
    **STREAMS,
    **TEMPORARY,
    **SESSION,
    **OTHER,
}
