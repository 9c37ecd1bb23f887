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
    "os.reload_environ": Setting.ENVIRONMENT,
    **each(
        below("os", "setuid setgid seteuid setegid setreuid setregid setresuid setresgid setgroups initgroups"),
        Setting.USER,
    ),
}

# docs.python.org/3/library/signal.html#signals-and-threads: "only ... from the main thread of the main interpreter"
SIGNALS = each(below("signal", "signal set_wakeup_fd alarm setitimer"), Setting.SIGNALS)

# docs.python.org/3/library/locale.html#locale.setlocale: "not thread-safe on most systems"
LOCALE = each(["locale.setlocale"], Setting.LOCALE)

# docs.python.org/3/library/warnings.html#warnings.catch_warnings: "replaces and restores" the module's own state
WARNINGS = each(["warnings.catch_warnings", "warnings.filters"], Setting.WARNINGS)

# matplotlib.org/stable/users/faq.html#work-with-threads: "Matplotlib is not thread-safe";
# matplotlib.org/stable/api/pyplot_summary.html: the functions that work on the current figure, or choose it
FIGURE = each(
    below(
        "matplotlib.pyplot",
        "figure subplots subplot subplot_mosaic subplot2grid axes gca gcf gci sca sci clf cla close delaxes show "
        "draw pause savefig suptitle supxlabel supylabel title xlabel ylabel xlim ylim xscale yscale xticks yticks "
        "axis grid legend figlegend colorbar clim tight_layout subplots_adjust margins tick_params "
        "ticklabel_format locator_params minorticks_on minorticks_off twinx twiny box text figtext annotate arrow "
        "figimage bar_label plot scatter bar barh broken_barh hist hist2d hexbin boxplot violinplot pie stem "
        "stairs stackplot step fill fill_between fill_betweenx contour contourf clabel tricontour tricontourf "
        "tripcolor triplot imshow matshow spy pcolor pcolormesh quiver quiverkey barbs streamplot specgram psd csd "
        "cohere xcorr acorr magnitude_spectrum angle_spectrum phase_spectrum errorbar eventplot ecdf polar rgrids "
        "thetagrids semilogx semilogy loglog axhline axvline axline axhspan axvspan hlines vlines table plot_date "
        "ginput waitforbuttonpress connect disconnect ion ioff set_cmap",
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

# docs.python.org/3/library/tkinter.messagebox.html, dialog.html: windows of their own, made where they are called;
# doc.qt.io/qt-6/qmessagebox.html, qfiledialog.html, qinputdialog.html: static functions that make a widget
_ASKING = {
    "QMessageBox": "about aboutQt critical information question warning",
    "QFileDialog": "getExistingDirectory getOpenFileName getOpenFileNames getSaveFileName",
    "QInputDialog": "getDouble getInt getItem getMultiLineText getText",
}
DIALOG = each(
    [
        *below(
            "tkinter.messagebox",
            "askokcancel askquestion askretrycancel askyesno askyesnocancel showerror showinfo showwarning",
        ),
        *below("tkinter.simpledialog", "askfloat askinteger askstring"),
        *below(
            "tkinter.filedialog",
            "askdirectory askopenfile askopenfilename askopenfilenames askopenfiles asksaveasfile asksaveasfilename",
        ),
        "tkinter.colorchooser.askcolor",
        *(
            name
            for binding in ("PySide2", "PySide6", "PyQt5", "PyQt6")
            for dialog, functions in _ASKING.items()
            for name in below(f"{binding}.QtWidgets.{dialog}", functions)
        ),
    ],
    Setting.DIALOG,
)

# docs.python.org/3/library: socket.html, sys.html, gc.html, faulthandler.html, threading.html, time.html,
# resource.html, logging.html, logging.config.html, csv.html#csv.field_size_limit, urllib.request.html#install_opener,
# tracemalloc.html, asyncio-policy.html, mimetypes.html, multiprocessing.html
OTHER = each(
    [
        "socket.setdefaulttimeout",
        *below(
            "sys", "setrecursionlimit setswitchinterval set_int_max_str_digits setdlopenflags excepthook displayhook"
        ),
        *below("sys", "unraisablehook"),
        *below("gc", "disable enable set_threshold set_debug freeze unfreeze"),
        *below("faulthandler", "enable disable register unregister dump_traceback_later"),
        *below("threading", "stack_size setprofile settrace setprofile_all_threads settrace_all_threads excepthook"),
        "time.tzset",
        *below("resource", "setrlimit"),
        *below("logging", "basicConfig disable setLoggerClass setLogRecordFactory captureWarnings raiseExceptions"),
        *below("logging.config", "dictConfig fileConfig"),
        *below("csv", "field_size_limit register_dialect unregister_dialect"),
        "urllib.request.install_opener",
        *below("tracemalloc", "start stop"),
        "asyncio.set_event_loop_policy",
        *below("multiprocessing", "set_start_method set_executable set_forkserver_preload"),
        # numpy.org/doc/stable/reference/thread_safety.html, generated/numpy.set_printoptions.html
        *below("numpy", "set_printoptions set_string_function setbufsize"),
        # pandas.pydata.org/docs/user_guide/options.html: "global behaviour"
        *below("pandas", "set_option reset_option option_context"),
        # matplotlib.org/stable/users/explain/customizing.html: rcParams are one for all; .../figure/backends.html
        *below("matplotlib", "rcParams rc rc_context rcdefaults rc_file use style.use style.context"),
        *below("matplotlib.pyplot", "rcParams rc rc_context rcdefaults switch_backend style.use style.context"),
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
    **DIALOG,
    **OTHER,
}
