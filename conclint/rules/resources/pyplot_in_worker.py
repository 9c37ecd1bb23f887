"""Threads that draw with `matplotlib.pyplot` draw into each other's figures.

pyplot remembers one current figure and one current axes for the whole process, and most of its functions mean those:
what one thread plots ends up in the figure that another one has just made, and `plt.close()` closes it.  With a GUI
backend any thread but the main one may crash.  Make a `matplotlib.figure.Figure` in each worker and draw with its
methods; or let processes draw.

Not reported: a single worker, processes, and drawing under a lock.  Of each function the first call is reported.

https://matplotlib.org/stable/users/faq.html#work-with-threads
https://matplotlib.org/stable/gallery/user_interfaces/web_application_server_sgskip.html
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(Setting.FIGURE):
        if doing.other is not None and not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` in several threads works on one current figure; make a "
                "`matplotlib.figure.Figure` in each instead",
                notes=doing.notes,
                when_asked=doing.far,
            )


RULE = Rule(
    code="CON507",
    name="pyplot-in-worker",
    triggers=sets(Setting.FIGURE),
    conclude=conclude,
    examples=(
        Bad("""
            from concurrent.futures import ThreadPoolExecutor

            import matplotlib.pyplot as plt

            def draw(data):
                plt.figure()  # expect: CON507
                plt.plot(data.values)
                plt.savefig(data.name)

            def main(everything):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(draw, everything))
            """),
        Bad("""
            import io

            from flask import Flask, send_file
            from matplotlib import pyplot

            app = Flask(__name__)

            @app.get("/chart")
            def chart():
                return send_file(picture(load()), mimetype="image/png")

            def picture(values):
                figure, axes = pyplot.subplots()  # expect: CON507
                axes.plot(values)
                buffer = io.BytesIO()
                figure.savefig(buffer)
                pyplot.close(figure)
                buffer.seek(0)
                return buffer
            """),
        Good("""
            from concurrent.futures import ThreadPoolExecutor

            from matplotlib.figure import Figure

            def draw(data):
                figure = Figure()
                figure.subplots().plot(data.values)
                figure.savefig(data.name)

            def main(everything):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(draw, everything))
            """),
        Good("""
            import threading
            from multiprocessing import Pool

            import matplotlib

            matplotlib.use("Agg")
            import matplotlib.pyplot as plt

            plot_lock = threading.Lock()

            def draw(data):
                plt.plot(data.values)
                plt.savefig(data.name)

            def draw_here(data):
                with plot_lock:
                    plt.plot(data.values)
                    plt.savefig(data.name)

            def main(everything):
                with Pool() as pool:
                    pool.map(draw, everything)
                for data in everything:
                    threading.Thread(target=draw_here, args=(data,)).start()
            """),
    ),
)
