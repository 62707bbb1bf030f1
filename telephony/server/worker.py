"""One worker process's resources, put together once and released in reverse order."""

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from agent.conversation.persona import DEFAULT_PERSONA
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings
from agent.store.base import Store
from agent.store.redis import RedisStore
from telephony.server.admission import Admission
from telephony.server.calls import Calls
from telephony.server.driver import Observer
from telephony.server.journal import Journal
from telephony.server.metrics import Metrics
from telephony.server.narrator import Narrator
from telephony.settings import Settings


@dataclass(frozen=True, slots=True)
class Worker:
    """What the routes work with."""

    settings: Settings
    admission: Admission
    store: Store
    calls: Calls
    metrics: Metrics


@asynccontextmanager
async def worker(settings: Settings, *extra_observers: Observer) -> AsyncIterator[Worker]:
    """Open everything a worker needs; on leaving, calls are handed over and all is closed."""
    async with AsyncExitStack() as stack:
        model = GeminiLive(
            GeminiSettings(
                api_key=settings.gemini_api_key.get_secret_value(),
                model=settings.gemini_model,
                base_url=settings.google_gemini_base_url,
                ca_file=str(settings.ssl_cert_file) if settings.ssl_cert_file else None,
            )
        )
        stack.push_async_callback(model.aclose)
        model.warm_up()
        store = (
            RedisStore.from_url(settings.redis_url, ttl_s=settings.transcript_ttl_s)
            if settings.redis_url
            else RedisStore.embedded(ttl_s=settings.transcript_ttl_s)
        )
        stack.push_async_callback(store.aclose)
        leases = await stack.enter_async_context(store.leases())
        metrics = Metrics()
        observers: list[Observer] = [metrics, Narrator(), *extra_observers]
        if settings.record_dir is not None:
            observers.append(Journal(settings.record_dir))
        calls = Calls(
            model=model,
            store=store,
            leases=leases,
            persona=DEFAULT_PERSONA,
            owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            observers=observers,
        )
        await stack.enter_async_context(calls.running())
        yield Worker(settings, Admission(settings), store, calls, metrics)
