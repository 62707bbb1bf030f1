"""The resources of one worker process, created together and released in reverse order."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

import structlog

from agent.conversation.meter import Tariffs
from agent.gemini.author import warm_up
from agent.gemini.breaker import State
from agent.gemini.guarded import GuardedLive
from agent.gemini.quirks import quirks_of
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings
from agent.money import prices
from agent.persona.agents import Agent, Agents
from agent.store.base import CallRecord, StoreAway, Taken
from agent.store.budgets import Account
from agent.store.dials import Dials
from agent.store.promises import Store
from agent.store.purge import RedisParties
from agent.store.redis import RedisStore
from agent.store.requests import Requests
from telephony.errors import SettingsError
from telephony.keys import recording_keys
from telephony.replay import selection
from telephony.replay.recorder import Recorder
from telephony.server.admission import Admission, wall_time_ms
from telephony.server.calls import Calls
from telephony.server.delivery import Delivery
from telephony.server.errands import ErrandRunner, Means
from telephony.server.extras import Extras
from telephony.server.measuring import Measuring
from telephony.server.metrics import Metrics
from telephony.server.narrator import Narrator
from telephony.server.observers import Observer
from telephony.server.own_tools import look_at, toolbox_of
from telephony.server.patience import patiently
from telephony.server.personas import Personas
from telephony.server.placing import place
from telephony.server.purse import Purse, Till
from telephony.server.reaper import Reaper
from telephony.server.sweeper import sweeping
from telephony.server.trace_export import TraceExport, export_of
from telephony.server.tracing import Tracing
from telephony.server.twilio_rest import TwilioRest
from telephony.server.warm import WarmTransfers
from telephony.settings import Settings
from telephony.twilio.numbers import is_placed, parties
from telephony.twilio.urls import stream_url

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a worker, before anything is opened."""

    settings: Settings
    admission: Admission
    model: GeminiLive
    store: RedisStore
    metrics: Metrics
    measuring: Measuring
    personas: Personas
    recorder: Recorder
    means: Means
    observers: tuple[Observer, ...]
    traces: TraceExport | None


@dataclass(frozen=True, slots=True)
class Worker:
    """The resources for the routes. `instance` is this process's unique name."""

    settings: Settings
    admission: Admission
    model: GuardedLive
    store: Store
    calls: Calls
    metrics: Metrics
    instance: str
    personas: Personas
    recorder: Recorder
    till: Till
    extras: Extras
    dials: Dials
    requests: Requests
    parties: RedisParties
    warm: WarmTransfers

    def tariffs(self, form: Mapping[str, str]) -> Tariffs:
        """What a call costs with each model.

        Args:
            form: The fields of one of its webhooks; empty if there is none at hand, for the price
                of an inbound call.
        """
        ours, theirs = parties(form)
        outbound = is_placed(form)
        models = self.settings.gemini_model, self.settings.gemini_fallback_model
        return prices.tariffs(*models, wall_time_ms(), ours=ours, theirs=theirs, outbound=outbound)

    def purse(
        self,
        call_sid: str,
        agent: Agent,
        form: Mapping[str, str],
        tariffs: Tariffs,
        stored: CallRecord | Taken,
    ) -> Purse | None:
        """The purse of a call that another worker began.

        Args:
            call_sid: The call.
            agent: Who answers.
            form: The fields of one of its webhooks; empty if there is none at hand.
            tariffs: What it costs.
            stored: What is stored of it.
        """
        account = Account.from_json(stored.account) or self.till.account(form, agent)
        return self.till.purse(call_sid, account, agent.caps, tariffs, stored.checkpoint)


def gemini_live(settings: Settings) -> GeminiLive:
    """The client for the model, which is not connected yet.

    Raises:
        ValueError: A setting for Gemini cannot be used.
    """
    return GeminiLive(
        GeminiSettings(
            api_key=settings.gemini_api_key.get_secret_value(),
            model=settings.gemini_model,
            fallback_model=settings.gemini_fallback_model,
            base_url=settings.google_gemini_base_url,
            ca_file=str(settings.ssl_cert_file) if settings.ssl_cert_file else None,
            hot_path=settings.hot_path,
        )
    )


def parts(settings: Settings, *observers: Observer) -> Parts:
    """Make the parts; nothing is connected yet.

    Raises:
        SettingsError: A setting is valid but cannot be used.
    """
    metrics = Metrics()
    measuring = Measuring(metrics.measured.found)
    watching: list[Observer] = [measuring, metrics, Narrator(measuring), *observers]
    try:
        stream_url(settings.public_url)
        has_errands = bool(settings.summary_model or settings.webhook_url)
        ttl_s = settings.transcript_ttl_s
        store = (
            RedisStore.from_url(settings.redis_url, ttl_s=ttl_s, errands=has_errands)
            if settings.redis_url
            else RedisStore.in_memory(ttl_s=ttl_s, errands=has_errands)
        )
        model = gemini_live(settings)
        means = Means(
            model.author(settings.summary_model) if settings.summary_model else None,
            _delivery(settings),
            settings.recordings_dir,
        )
    except (ValueError, TypeError) as error:  # redis-py raises TypeError for an unknown option
        raise SettingsError(str(error)) from None
    recorder = _recorder(settings, metrics)
    watching.append(recorder)
    traces = export_of(settings, metrics.traced)
    if traces is not None:
        watching.append(Tracing(traces.send, settings.gemini_model, settings.gemini_fallback_model))
    return Parts(
        settings,
        Admission(settings),
        model,
        store,
        metrics,
        measuring,
        Personas(settings.personas),
        recorder,
        means,
        tuple(watching),
        traces,
    )


def _delivery(settings: Settings) -> Delivery | None:
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    secret = settings.webhook_secret.get_secret_value()
    return Delivery(settings.webhook_url, secret, settings.ssl_cert_file)


def _recorder(settings: Settings, metrics: Metrics) -> Recorder:
    """The recorder. Without RECORD_DIR, it records the calls of agents whose owners want it."""
    dropped = metrics.recording_dropped
    secret = settings.recording_key
    key = None if secret is None else recording_keys(secret.get_secret_value())[0]
    if settings.record_dir is None:
        return Recorder(settings.recordings_dir, selection.NONE, dropped, key)
    try:
        selected = selection.parse(settings.record_calls)
    except ValueError as error:
        raise SettingsError(f"RECORD_CALLS: {error}") from None
    recorder = Recorder(settings.record_dir, selected, dropped, key)
    recorder.make_folder()
    return recorder


def _guarded(live: GeminiLive, metrics: Metrics) -> GuardedLive:
    def tell(state: State, fallback: bool) -> None:
        metrics.breaker_changed(state, fallback=fallback)
        log.warning("model breaker", state=state.value, fallback=fallback)

    loop = asyncio.get_running_loop()
    return GuardedLive(live, lambda: int(loop.time() * 1000), tell)


@asynccontextmanager
async def worker(made_of: Parts) -> AsyncIterator[Worker]:
    """Open all resources. When the block ends, calls are handed over and all is closed."""
    async with AsyncExitStack() as stack:
        if made_of.traces is not None:
            stack.push_async_callback(asyncio.to_thread, made_of.traces.close)
        stack.enter_context(made_of.recorder)
        await stack.enter_async_context(sweeping(made_of.recorder.folder))
        stack.push_async_callback(made_of.model.aclose)
        made_of.model.warm_up()
        if made_of.means.delivery is not None:
            stack.push_async_callback(made_of.means.delivery.aclose)
        model = _guarded(made_of.model, made_of.metrics)
        instance = secrets.token_hex(8)
        stack.push_async_callback(made_of.store.aclose)
        leases = await stack.enter_async_context(made_of.store.leases())
        await _look_at_store(made_of)
        _look_at_prices(made_of.settings)
        look_at(made_of.settings, made_of.personas)
        await stack.enter_async_context(made_of.personas.asking())
        till = Till(made_of.store.budgets, made_of.admission)
        extras = Extras(made_of.store, made_of.store.besides, till, made_of.metrics.paid_besides)
        calls = Calls(
            model=model,
            store=made_of.store,
            leases=leases,
            has_fallback=made_of.settings.gemini_fallback_model is not None,
            think_ms=quirks_of(made_of.settings.gemini_model).think_ms,
            toolbox_of=toolbox_of(made_of.settings, made_of.store, made_of.personas, extras),
            mask_of=lambda persona: made_of.personas.last_good.named(persona.name).mask,
            owner=f"{socket.gethostname()}:{os.getpid()}:{instance}",
            measuring=made_of.measuring,
            observers=made_of.observers,
            observer_failed=made_of.metrics.observer_failed,
        )
        made_of.metrics.look_at(lambda: len(calls), lambda: calls.waiting_for_store)
        await stack.enter_async_context(calls.running())
        rest = _rest(made_of.settings, made_of.metrics)
        await stack.enter_async_context(_reaping(made_of, calls, rest))
        warm = await stack.enter_async_context(_transferring(made_of, calls, rest))
        await stack.enter_async_context(_errands(made_of, calls, till))
        yield Worker(
            made_of.settings,
            made_of.admission,
            model,
            made_of.store,
            calls,
            made_of.metrics,
            instance,
            made_of.personas,
            made_of.recorder,
            till,
            extras,
            made_of.store.dials,
            made_of.store.requests,
            made_of.store.parties,
            warm,
        )


def _look_at_transfers(agents: Agents) -> None:
    """Log at the start, and not only with the first transfer, whom nobody can call."""
    for agent in agents:
        names = sorted(name for name, target in agent.transfers.items() if target.warm)
        if names:
            log.warning(
                "TWILIO_ACCOUNT_SID is not set: it is needed for transfers with warm = true; until "
                "it is, nobody is called for them, and callers come back to the agent",
                persona=agent.persona.name,
                transfers=names,
            )


def _look_at_prices(settings: Settings) -> None:
    """Log at the start which models have no known price."""
    models = {"GEMINI_MODEL": settings.gemini_model, "SUMMARY_MODEL": settings.summary_model}
    for name, model in models.items():
        if model is not None and not prices.of_model(model, wall_time_ms()).known:
            log.warning(
                "price unknown: what this model costs is stored as unknown, and limits in US "
                "dollars do not hold for it; `minutes` limits a call all the same",
                setting=name,
                model=model,
            )


async def _look_at_store(made_of: Parts) -> None:
    """Log at the start, and not only with the first call, that the store is away."""
    try:
        await patiently(made_of.store.ping())
    except StoreAway as away:
        log.warning(
            "REDIS_URL: Redis cannot be used. Calls are answered, but what is said in them is kept "
            "in memory until Redis is back, and is lost if this process ends before. Start Redis, "
            "or correct REDIS_URL; `offhook doctor` tries it out",
            address=made_of.settings.redis_address,
            why=away.why,
        )


def _rest(settings: Settings, metrics: Metrics) -> TwilioRest | None:
    if settings.twilio_account_sid is None:
        return None
    random = Random(secrets.randbits(32))  # noqa: S311 - jitter, not a secret
    rest = TwilioRest(settings, random, failed=metrics.rest_failed)
    rest.warm_up()
    return rest


@asynccontextmanager
async def _transferring(
    made_of: Parts, calls: Calls, rest: TwilioRest | None
) -> AsyncIterator[WarmTransfers]:
    settings = made_of.settings
    if rest is None:
        _look_at_transfers(made_of.personas.last_good)
    warm = WarmTransfers(
        settings.public_url,
        made_of.store,
        made_of.store.legs,
        made_of.personas,
        rest=rest,
        place=partial(place, settings),
        draining=lambda: calls.draining,
    )
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(warm.run(), name="warm transfers")
        yield warm
        looking.cancel()


@asynccontextmanager
async def _reaping(made_of: Parts, calls: Calls, rest: TwilioRest | None) -> AsyncIterator[None]:
    settings = made_of.settings
    if rest is None:
        log.info(
            "TWILIO_ACCOUNT_SID is not set: if a worker dies, its calls are not redirected by REST"
        )
        yield
        return
    reaper = Reaper(calls, made_of.store, rest, settings.public_url)
    async with asyncio.TaskGroup() as tasks:
        reaping = tasks.create_task(reaper.run(), name="reaper")
        yield
        reaping.cancel()


@asynccontextmanager
async def _errands(made_of: Parts, calls: Calls, till: Till) -> AsyncIterator[None]:
    errands = made_of.store.errands
    if errands is None:
        yield
        return
    await warm_up()
    runner = ErrandRunner(
        made_of.means,
        calls,
        made_of.store,
        errands,
        made_of.personas,
        made_of.metrics,
        Random(secrets.randbits(32)),  # noqa: S311 - jitter, not a secret
        till,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(runner.run(), name="errands")
        yield
        running.cancel()
