"""What runs coroutines as tasks, several at a time: handlers of servers and bots, and the names of makers of tasks."""

from __future__ import annotations

import re

from conclint.knowledge.kinds import Context, Spawner, Target
from conclint.knowledge.names import below, each

LOOP = Context.LOOP

_VERBS = "get post put delete patch options head"
_DECORATED = Spawner(LOOP, Target.DECORATED, many=True)
_SECOND = Spawner(LOOP, position=1, keyword="handler", many=True)
_THIRD = Spawner(LOOP, position=2, keyword="handler", many=True)
_METHODS = tuple(_VERBS.split())

# docs.aiohttp.org/en/stable/web_reference.html: one task per connection; an object of a `View` for each request
_AIOHTTP = {
    **each(below("aiohttp.web.RouteTableDef", f"{_VERBS} view route"), _DECORATED),
    **each(below("aiohttp.web", _VERBS), _SECOND),
    "aiohttp.web.route": _THIRD,
    **each(below("aiohttp.web.UrlDispatcher", " ".join(f"add_{verb}" for verb in _METHODS)), _SECOND),
    "aiohttp.web.UrlDispatcher.add_route": _THIRD,
    "aiohttp.web.middleware": _DECORATED,
    "aiohttp.web.View": Spawner(LOOP, Target.METHODS, methods=_METHODS, many=True, fresh=True),
}

# fastapi.tiangolo.com/async, /reference/apirouter; starlette.io/routing, /endpoints: an object for each request
_STARLETTE = {
    **each(below("fastapi.FastAPI", f"{_VERBS} trace api_route websocket middleware exception_handler"), _DECORATED),
    **each(below("fastapi.APIRouter", f"{_VERBS} trace api_route websocket"), _DECORATED),
    "fastapi.Depends": Spawner(LOOP, keyword="dependency", many=True),
    **each(
        [*below("fastapi.FastAPI", "add_api_route"), *below("fastapi.APIRouter", "add_api_route")],
        Spawner(LOOP, position=1, keyword="endpoint", many=True),
    ),
    **each(
        below("starlette.routing", "Route WebSocketRoute"), Spawner(LOOP, position=1, keyword="endpoint", many=True)
    ),
    "starlette.endpoints.HTTPEndpoint": Spawner(LOOP, Target.METHODS, methods=_METHODS, many=True, fresh=True),
}

# quart.palletsprojects.com/en/latest/reference/source/quart.app.html; sanic.dev/en/guide/basics/handlers.html
# docs.litestar.dev/latest/usage/routing/handlers.html; www.tornadoweb.org/en/stable/web.html: an object per request
_SERVERS = {
    **each(
        [
            *below("quart.Quart", f"route {_VERBS} websocket before_request after_request"),
            *below("quart.Blueprint", f"route {_VERBS} websocket before_request after_request"),
            *below("sanic.Sanic", f"route {_VERBS} websocket middleware on_request on_response"),
            *below("sanic.Blueprint", f"route {_VERBS} websocket middleware on_request on_response"),
            *below("litestar", f"route {_VERBS} websocket"),
        ],
        _DECORATED,
    ),
    **each(below("sanic.Sanic", "add_route add_websocket_route"), Spawner(LOOP, keyword="handler", many=True)),
    "tornado.web.RequestHandler": Spawner(LOOP, Target.METHODS, methods=("prepare", *_METHODS), many=True, fresh=True),
    # websockets.readthedocs.io/en/stable/reference/asyncio/server.html: the handler runs once per connection
    **each(
        [
            *below("websockets", "serve unix_serve"),
            *below("websockets.server", "serve unix_serve"),
            *below("websockets.asyncio.server", "serve unix_serve"),
        ],
        Spawner(LOOP, keyword="handler", many=True),
    ),
    # modelcontextprotocol.io/docs/develop/build-server; gofastmcp.com/servers/tools
    **each(
        [*below("mcp.server.fastmcp.FastMCP", "tool prompt"), *below("fastmcp.FastMCP", "tool prompt")],
        _DECORATED,
    ),
}  # fmt: skip


def _discord(library: str) -> dict[str, Spawner]:
    commands = f"{library}.ext.commands"
    return {
        **each(
            [
                *below(f"{library}.Client", "event"),
                *below(f"{commands}.Bot", "event listen command hybrid_command group"),
                *below(commands, "command hybrid_command group Cog.listener"),
                *below(f"{library}.app_commands", "command CommandTree.command"),
            ],
            _DECORATED,
        ),
        f"{library}.Client": Spawner(LOOP, Target.METHODS, methods=("on_*",), many=True),
    }


# discordpy.readthedocs.io/en/stable/api.html#event-reference: each event is a task
# docs.aiogram.dev/en/latest/dispatcher: handle_as_tasks; docs.telethon.dev/en/stable/basic/updates.html
# docs.pyrogram.org: `workers`; docs.slack.dev/tools/bolt-python/concepts/async; github.com/eternnoir/pyTelegramBotAPI
_BOTS = {
    **_discord("discord"),
    **_discord("nextcord"),
    **_discord("disnake"),
    **each(
        [
            *below("aiogram.Router", "message edited_message callback_query inline_query channel_post"),
            *below("aiogram.Dispatcher", "message edited_message callback_query inline_query channel_post"),
            "telethon.TelegramClient.on",
            *below("pyrogram.Client", "on_message on_callback_query on_edited_message"),
            *below("slack_bolt.async_app.AsyncApp", "event message command action shortcut view"),
            *below("telebot.async_telebot.AsyncTeleBot", "message_handler callback_query_handler"),
        ],
        _DECORATED,
    ),
}

# What files import that have to do with tasks.
LIBRARIES = frozenset(
    {"asyncio", "anyio", "trio", "aiohttp", "fastapi", "starlette", "httpx", "quart", "sanic", "litestar", "websockets"}
    | {"tornado", "discord", "nextcord", "disnake", "aiogram", "telethon", "pyrogram"}
)

HANDLERS = _AIOHTTP | _STARLETTE | _SERVERS | _BOTS

# Events of a bot that come once for each connection, not at the same time.
SELDOM = frozenset(
    {"on_ready", "on_connect", "on_disconnect", "on_resumed", "on_shard_ready", "on_shard_connect", "setup_hook"}
)

# What is called so and is given a coroutine object runs it as a task, whether the library's or the program's own.
MAKER = re.compile(
    r"task|spawn|future|gather|coro|background|start_soon|schedul|fire_and_forget|concurrently|^wait$|^as_completed$",
    re.IGNORECASE,
)
