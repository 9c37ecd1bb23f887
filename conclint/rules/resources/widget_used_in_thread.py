"""A thread uses a widget, and widgets work in the main thread only.

Qt's widgets "don't work in secondary threads": the program crashes, now or later.  tkinter hands calls of other threads
to the one that runs `mainloop` and waits for its answer, and so raises or hangs when that loop is not running, or waits
for the worker itself.  Hand the result over instead: a Qt signal, or a `queue.Queue` that a function called with
`root.after` empties.

Not reported: `after` and `event_generate`, with which work is handed over, signals, and widgets that the thread makes
for itself.  Of each function the first use is reported.

https://doc.qt.io/qt-6/thread-basics.html#gui-thread-and-worker-thread
https://docs.python.org/3/library/tkinter.html#threading-model
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Context, Setting, Unshared
from conclint.model import Finding
from conclint.program.calls import Site
from conclint.program.contexts import evidence as trace
from conclint.program.evidence import Evidence
from conclint.program.observations import Change
from conclint.program.triggers import Triggers
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for used, run in evidence.touched(Unshared.WIDGET):
        yield Finding(
            used.access.place,
            f"`{used.access.text}` is a widget, and a thread other than the main one uses it; hand the result to the "
            "main thread with a signal or a queue",
            notes=trace(run),
        )
    for doing in evidence.doings(Setting.DIALOG):
        if _has_its_own_root(evidence, doing.change):
            continue
        yield Finding(
            doing.change.place,
            f"`{doing.change.text}` makes a window, and a thread other than the main one calls it; let the main thread "
            "ask, told by a signal or a queue",
            notes=doing.notes,
        )


def _has_its_own_root(evidence: Evidence, change: Change) -> bool:
    """Whether the function makes the interpreter of Tk in which it asks, which then belongs to this thread."""
    calls = evidence.program.calls
    file, function = calls.function(change.point.function)
    return any("tkinter.Tk" in calls.library_names(Site(file, function, call)) for call in function.calls)


RULE = Rule(
    code="CON516",
    name="widget-used-in-thread",
    triggers=Triggers(
        objects=frozenset({Unshared.WIDGET}),
        settings=frozenset({Setting.DIALOG}),
        contexts=frozenset({Context.THREAD}),
    ),
    conclude=conclude,
    examples=(
        Bad("""
            import threading
            import tkinter as tk

            root = tk.Tk()
            label = tk.Label(root)

            def job():
                label.config(text=load())  # expect: CON516

            threading.Thread(target=job).start()
            root.mainloop()
            """),
        Bad("""
            import threading

            from PyQt5.QtWidgets import QLabel, QMainWindow

            class Window(QMainWindow):
                def __init__(self):
                    super().__init__()
                    self.label = QLabel("...")

                def load(self):
                    threading.Thread(target=self._work).start()

                def _work(self):
                    self._show(fetch())

                def _show(self, text):
                    self.label.setText(text)  # expect: CON516
            """),
        Bad("""
            import threading
            import tkinter as tk

            class Window:
                def __init__(self, root):
                    self.label = tk.Label(root)

                def load(self):
                    def work():
                        self.label.configure(text=fetch())  # expect: CON516

                    threading.Thread(target=work).start()
                    threading.Thread(target=lambda: self.label.configure(text=fetch())).start()  # expect: CON516
            """),
        Bad("""
            import threading
            from tkinter import Entry, Tk, ttk

            def run(bar: ttk.Progressbar, entry: Entry):
                for step in range(10):
                    bar.step(10)  # expect: CON516
                entry.insert(0, "done")

            def main():
                root = Tk()
                threading.Thread(target=run, args=(ttk.Progressbar(root), Entry(root))).start()
                root.mainloop()
            """),
        Good("""
            import threading
            import tkinter
            from tkinter.messagebox import showerror

            def complain(text):
                root = tkinter.Tk()  # this thread's own
                root.withdraw()
                showerror("Connection", text, parent=root)
                root.destroy()

            def serve():
                try:
                    listen()
                except OSError as error:
                    complain(str(error))

            threading.Thread(target=serve, daemon=True).start()
            """),
        Good("""
            import queue
            import threading
            import tkinter as tk

            root = tk.Tk()
            label = tk.Label(root)
            results = queue.Queue()

            def job():
                results.put(load())
                root.after(0, show)
                root.event_generate("<<Loaded>>")

            def show():
                try:
                    label.config(text=results.get_nowait())
                except queue.Empty:
                    pass
                root.after(100, show)

            threading.Thread(target=job).start()
            show()
            root.mainloop()
            """),
        Good("""
            import threading
            import tkinter

            from PySide6.QtCore import QThread, Signal
            from PySide6.QtWidgets import QLabel, QWidget

            class Loader(QThread):
                loaded = Signal(str)

                def run(self):
                    self.loaded.emit(fetch())

            class Window(QWidget):
                def __init__(self):
                    super().__init__()
                    self.label = QLabel("...")
                    self.loader = Loader()
                    self.loader.loaded.connect(self.label.setText)
                    self.loader.start()

            def own_window():
                window = tkinter.Tk()  # the thread's own
                window.title("progress")
                window.mainloop()

            threading.Thread(target=own_window).start()
            """),
    ),
)
