"""A thread that changes the environment, the file mode mask or the user changes them for the whole process.

What `os.environ`, `os.putenv`, `os.umask` and `os.setuid` set is the process's: another thread reads the wrong value,
starts a child with it, or creates a file that everybody may write.  The C library may even crash: `setenv` moves the
memory that another thread's `getenv` or resolver is reading, and no Python lock keeps those out.  Hand `env=` to a
subprocess and the mode to `os.open`, or set it before the first thread starts.

Not reported: what is set in the main thread or in a child process, and what is set under a lock.  Where one function
sets several, the first one is reported.  What happens on the way through `teardown()`, `finish()` and their like is
shown to those who select CON502.

https://docs.python.org/3/library/os.html#os.environ
https://man7.org/linux/man-pages/man3/setenv.3.html
"""

from __future__ import annotations

from collections.abc import Iterator

from conclint.knowledge.kinds import Setting
from conclint.model import Finding
from conclint.program.contexts import at_end
from conclint.program.evidence import Evidence
from conclint.program.triggers import sets
from conclint.rules.rule import Bad, Good, Rule

OWNED = (Setting.ENVIRONMENT, Setting.MASK, Setting.USER)

INSTEAD = {
    Setting.ENVIRONMENT: "pass it on as an argument, or to a subprocess as `env=`",
    Setting.MASK: "give the mode when the file is made, or set the mask before threads start",
    Setting.USER: "do it before threads start, or in a process",
}


def conclude(evidence: Evidence) -> Iterator[Finding]:
    for doing in evidence.doings(*OWNED):
        if not doing.guarded:
            yield Finding(
                doing.change.place,
                f"`{doing.change.text}` changes the {doing.change.setting.value} of all threads, while others use it; "
                f"{INSTEAD[doing.change.setting]}",
                notes=doing.notes,
                when_asked=doing.far or at_end(doing.run),
            )


RULE = Rule(
    code="CON502",
    name="environment-in-worker",
    triggers=sets(*OWNED),
    conclude=conclude,
    examples=(
        Bad("""
            import os
            import subprocess
            from concurrent.futures import ThreadPoolExecutor

            def deploy(region):
                os.environ["AWS_REGION"] = region  # expect: CON502
                subprocess.run(["deploy"])

            def main(regions):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(deploy, regions))
            """),
        Bad("""
            import threading
            from os import environ, umask

            def configure(settings):
                environ.update(settings)  # expect: CON502
                environ["READY"] = "1"

            def write(path, text):
                old = umask(0)  # expect: CON502
                try:
                    with open(path, "w") as file:
                        file.write(text)
                finally:
                    umask(old)

            def work(path, settings):
                configure(settings)
                write(path, "done")

            def main(settings):
                threading.Thread(target=work, args=("log", settings)).start()
            """),
        Bad("""
            import os

            from flask import Flask

            app = Flask(__name__)

            @app.route("/login/<user>")
            def login(user):
                os.putenv("USER", user)  # expect: CON502
                del os.environ["TOKEN"]
                return user
            """),
        Good("""
            import os
            import subprocess
            from concurrent.futures import ThreadPoolExecutor

            def deploy(region):
                env = os.environ.copy()
                env["AWS_REGION"] = region
                subprocess.run(["deploy"], env=env)
                return os.environ["HOME"]

            def main(regions):
                with ThreadPoolExecutor() as pool:
                    list(pool.map(deploy, regions))
            """),
        Good("""
            import os
            import threading

            def main(work):
                os.environ["TZ"] = "UTC"  # before there are threads
                os.umask(0o077)
                thread = threading.Thread(target=work)
                thread.start()
                thread.join()
            """),
        Good("""
            import multiprocessing
            import os
            import subprocess

            def child(device):
                os.environ["CUDA_VISIBLE_DEVICES"] = device  # a process has an environment of its own
                os.setuid(1000)

            def main(devices):
                for device in devices:
                    multiprocessing.Process(target=child, args=(device,)).start()
                subprocess.Popen(["serve"], preexec_fn=lambda: os.umask(0))
            """),
    ),
)
