"""Libraries that call what they were given from threads of their own."""

from __future__ import annotations

from conclint.knowledge.kinds import Context, Spawner, Target
from conclint.knowledge.names import below, each

THREAD = Context.THREAD


def _given(*keywords: str, first: int | None = 0, many: bool = False) -> Spawner:
    """Callables by keyword, and from the place `first` on."""
    found = [
        Spawner(THREAD, position=None if first is None else first + number, keyword=keyword, many=many)
        for number, keyword in enumerate(keywords)
    ]
    return Spawner(THREAD, position=found[0].position, keyword=keywords[0], many=many, also=tuple(found[1:]))


_ASSIGNED = Spawner(THREAD, Target.ASSIGNED, methods=("on_*",))
_LOOP = Spawner(THREAD, Target.ASSIGNED, methods=("on_*",), handed=True)

# eclipse.dev/paho/files/paho.mqtt.python/html/client.html: `loop_start` runs a thread, which calls what was assigned;
# websocket-client.readthedocs.io/en/latest/threading.html; jasonrbriggs.github.io/stomp.py/api.html: a receiver thread
_MESSAGES = {
    "paho.mqtt.client.Client.loop_start": _ASSIGNED,
    "paho.mqtt.client.Client.loop_forever": _LOOP,
    "websocket.WebSocketApp.run_forever": _LOOP,
    "stomp.ConnectionListener": Spawner(THREAD, Target.METHODS, methods=("on_*",)),
    # cloud.google.com/python/docs/reference/pubsub/latest: "a background thread … to invoke the user's callback"
    "google.cloud.pubsub_v1.SubscriberClient.subscribe": _given("callback", first=1, many=True),
    # wiki.ros.org/rospy/Overview/Publishers%20and%20Subscribers, Time, Services: each in a thread of its own
    "rospy.Subscriber": _given("callback", first=2),
    "rospy.Timer": _given("callback", first=1),
    "rospy.Service": _given("handler", first=2, many=True),
    # python-zeroconf.readthedocs.io/en/latest/api.html#zeroconf.ServiceBrowser: "a thread"
    "zeroconf.ServiceListener": Spawner(THREAD, Target.METHODS, methods=("add_service", "remove_*", "update_service")),
}

# pytba.readthedocs.io/en/latest/sync_version/index.html: `threaded=True`, two workers;
# tools.slack.dev/bolt-python/concepts/lazy-listeners, slack_bolt.App: "listener_executor", a pool of threads
_BOTS = each(
    [
        *below("telebot.TeleBot", "message_handler edited_message_handler callback_query_handler inline_handler"),
        *below("slack_bolt.App", "event message command action shortcut view options"),
    ],
    Spawner(THREAD, Target.DECORATED, many=True),
)

# pynput.readthedocs.io/en/latest/keyboard.html: "a listener is a threading.Thread, and all callbacks will be invoked
# from the thread"; github.com/boppreh/keyboard#api: "hotkeys and hooks run in a separate thread";
# sourceforge.net/p/raspberry-gpio-python/wiki/Inputs: "a second thread for callback functions";
# people.csail.mit.edu/hubert/pyaudio/docs; python-sounddevice.readthedocs.io/en/latest/api/streams.html;
# pyudev.readthedocs.io/en/latest/guide.html#asynchronous-monitoring; python-can.readthedocs.io/en/stable/notifier.html;
# pyserial.readthedocs.io/en/latest/pyserial_api.html#module-serial.threaded
_DEVICES = {
    "pynput.keyboard.Listener": _given("on_press", "on_release"),
    "pynput.mouse.Listener": _given("on_move", "on_click", "on_scroll"),
    "keyboard.add_hotkey": _given("callback", first=1),
    **each(below("keyboard", "hook on_press on_release"), _given("callback")),
    **each(below("keyboard", "on_press_key on_release_key hook_key"), _given("callback", first=1)),
    "RPi.GPIO.add_event_detect": _given("callback", first=2),
    "RPi.GPIO.add_event_callback": _given("callback", first=1),
    "pyaudio.PyAudio.open": _given("stream_callback", first=None),
    **each(
        below("sounddevice", "Stream InputStream OutputStream RawStream RawInputStream RawOutputStream"),
        _given("callback", first=None),
    ),
    "pyudev.MonitorObserver": _given("event_handler", "callback", first=1),
    "can.Listener": Spawner(THREAD, Target.METHODS, methods=("on_message_received", "__call__")),
    **each(
        below("serial.threaded", "Protocol Packetizer FramedPacket LineReader"),
        Spawner(THREAD, Target.METHODS, methods=("connection_made", "data_received", "connection_lost", "handle_*")),
    ),
}

# docs.cherrypy.dev/en/latest/pkg/cherrypy.html#cherrypy.expose: a request is served by one of the server's threads
_PAGES = {"cherrypy.expose": Spawner(THREAD, Target.DECORATED, many=True)}

CALLBACKS = _MESSAGES | _BOTS | _DEVICES | _PAGES
