"""Calls that wait for something outside the caller's hands, by what they wait for."""

from __future__ import annotations

from enum import IntFlag

from conclint.knowledge.names import below


class Wait(IntFlag):
    """What a call waits for."""

    NONE = 0
    SLEEP = 1
    NETWORK = 2
    PROCESS = 4  # another program
    JOIN = 8  # the end of a thread, process or pool
    RESULT = 16  # what a worker is still to give
    QUEUE = 32
    EVENT = 64
    CONDITION = 128  # gives the lock back meanwhile
    PERSON = 256


_METHODS = "get post put delete patch head options request"

# docs.python.org/3/library: time, threading, queue, multiprocessing, concurrent.futures, subprocess, os, socket,
# urllib.request, http.client, smtplib, ftplib; the packages' API pages: each of these talks to a server.
WAITS: dict[str, Wait] = {
    "time.sleep": Wait.SLEEP,
    **dict.fromkeys(
        (
            *below("requests", _METHODS), *below("requests.Session", f"{_METHODS} send"),
            *below("httpx", f"{_METHODS} stream"), *below("httpx.Client", f"{_METHODS} stream send"),
            "urllib3.request", *below("urllib3.PoolManager", "request urlopen"),
            *below("urllib3.HTTPConnectionPool", "request urlopen"),
            *below("urllib.request", "urlopen urlretrieve"),
            "socket.create_connection",
            *below("socket.socket", "accept connect recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into"),
            *below("select", "select epoll.poll poll.poll"),
            *below("http.client.HTTPConnection", "connect request getresponse"),
            *below("http.client.HTTPSConnection", "connect request getresponse"),
            *below("smtplib", "SMTP SMTP_SSL SMTP.connect SMTP.sendmail SMTP.send_message SMTP.login"),
            *below("ftplib.FTP", "connect login retrbinary storbinary"),
            *below("paramiko.SSHClient", "connect exec_command"),
            "psycopg.connect", "psycopg2.connect", "pymysql.connect", "mysql.connector.connect",
            "ssl.get_server_certificate",
        ),
        Wait.NETWORK,
    ),
    **dict.fromkeys(
        (
            *below("subprocess", "run call check_call check_output getoutput getstatusoutput"),
            *below("subprocess.Popen", "wait communicate"),
            *below("os", "system waitpid wait"),
        ),
        Wait.PROCESS,
    ),
    **dict.fromkeys(
        (
            "threading.Thread.join", "multiprocessing.Process.join", "multiprocessing.pool.Pool.join",
            "concurrent.futures.Executor.shutdown",
        ),
        Wait.JOIN,
    ),
    **dict.fromkeys(
        (
            *below("concurrent.futures", "wait Future.result Future.exception"),
            *below("multiprocessing.pool.AsyncResult", "get wait"),
        ),
        Wait.RESULT,
    ),
    **dict.fromkeys(
        (
            *below("queue", "Queue.get Queue.join SimpleQueue.get"),
            *below("multiprocessing", "Queue.get SimpleQueue.get JoinableQueue.join"),
            *below("multiprocessing.connection.Connection", "recv recv_bytes"),
        ),
        Wait.QUEUE,
    ),
    **dict.fromkeys(
        (
            *below("threading", "Event.wait Barrier.wait"),
            *below("multiprocessing", "Event.wait Barrier.wait"),
        ),
        Wait.EVENT,
    ),
    **dict.fromkeys(
        (
            *below("threading", "Condition.wait Condition.wait_for"),
            *below("multiprocessing", "Condition.wait Condition.wait_for"),
        ),
        Wait.CONDITION,
    ),
    **dict.fromkeys(("builtins.input", "getpass.getpass"), Wait.PERSON),
}  # fmt: skip
