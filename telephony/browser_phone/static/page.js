/** Connects what is seen with a call. */

import { NoMicrophone, openHandset } from "./microphone.js";
import { Call } from "./phone.js";
import { DECODED } from "./ulaw.js";
import { Weather } from "./weather.js";

const $ = (id) => document.getElementById(id);
const keys = [...document.querySelectorAll("[data-key]")];

const weather = new Weather(Math.random);

/** The call that runs, or the last one. Tests read its record. */
export let call;

let handset;
let listening;
let began;
let clock;
let simulated;

async function place() {
    busy(true);
    show($("problem"), "");
    $("after").hidden = true;
    $("lines").replaceChildren();
    $("empty").hidden = true;
    state("Opening the microphone");
    try {
        await introduce();
        handset = await openHandset({
            cancelsEcho: $("cancels").checked,
            take: (message) => call?.take(message),
        });
        turnKnobs();
        call = listen(new Call(handset, weather));
        state("Ringing");
        await call.run();
    } catch (error) {
        const words =
            error instanceof NoMicrophone
                ? error.message
                : `The server does not answer as expected (${error.message}). Is offhook dev running?`;
        show($("problem"), words);
        state("Not connected");
        call?.hangUp();
        call?.end();
    } finally {
        tidy();
    }
}

function tidy() {
    handset?.close();
    handset = undefined;
    began = undefined;
    clearInterval(clock);
    for (const id of ["your-level", "agent-level"]) $(id).value = 0;
    $("transfer").hidden = true;
    if (call?.record.said.length) {
        URL.revokeObjectURL($("recording").href);
        $("recording").href = URL.createObjectURL(
            new Blob([call.record.wav()], { type: "audio/wav" }),
        );
        $("after").hidden = false;
        $("lines").lastElementChild?.scrollIntoView({ block: "nearest" });
    }
    busy(false);
    $("call").focus();
}

function listen(placed) {
    $("ended").textContent = "";
    placed.addEventListener("placed", ({ detail }) => follow(detail.callSid));
    placed.addEventListener("stream", () => {
        began ??= performance.now();
        $("lose").disabled = false;
        clock = setInterval(tick, 500);
        tick();
    });
    placed.addEventListener("closed", ({ detail }) => {
        $("lose").disabled = true;
        clearInterval(clock);
        if (detail.broken) note(`The socket was lost (${detail.code}). The call comes back.`);
    });
    placed.addEventListener("step", ({ detail }) => step(detail));
    placed.addEventListener("frame", ({ detail }) => {
        $("your-level").value = level(detail.said);
        $("agent-level").value = level(detail.heard);
    });
    placed.addEventListener("clear", ({ detail }) => {
        const ms = Math.round(detail.dropped / 8);
        note(ms ? `The agent was stopped; ${ms} ms were not heard.` : "The agent was stopped.");
    });
    placed.addEventListener("warning", ({ detail }) => note(`Twilio would warn: ${detail.words}`));
    placed.addEventListener("problem", ({ detail }) => show($("problem"), detail.words));
    placed.addEventListener("over", ({ detail }) => {
        state(began ? `Over after ${duration()}` : "Over");
        if (detail.words) show($("problem"), detail.words);
    });
    return placed;
}

/** Show what the server says of the call, as it happens. */
function follow(callSid) {
    listening?.close();
    listening = new EventSource(`/phone/calls/${callSid}/events`);
    listening.onmessage = ({ data }) => {
        const happened = JSON.parse(data);
        if (happened.kind === "line") line(happened);
        if (happened.kind === "model" && happened.state === "lost") note("The model’s socket was lost.");
        if (happened.kind === "over") {
            $("ended").textContent = `Ended: ${happened.reason.replaceAll("_", " ")}${price(happened)}`;
            listening.close();
        }
    };
}

function price({ cost }) {
    if (cost === null) return "";
    const usd = `about $${(cost / 1e9).toFixed(4)}`;
    return simulated ? `. With the real model: ${usd}` : `, ${usd}`;
}

function step({ do: what, words, to }) {
    $("transfer").hidden = what !== "dial";
    if (what === "dial") {
        $("transfer-words").textContent =
            `The call would now be put through to ${to.join(", ")}. How does that go?`;
        state("Put through");
    } else if (words) {
        note(`Twilio says: “${words}”`);
    }
}

function line({ role, text, heard, at_ms: at }) {
    const item = document.createElement("li");
    const who = document.createElement("b");
    item.className = `${role}-line`;
    who.textContent = `${role === "agent" ? $("agent").textContent : "You"} · ${clockTime(at / 1000)}`;
    item.append(who);
    if (role === "agent" && text.startsWith(heard) && heard !== text) {
        const unheard = document.createElement("s");
        unheard.textContent = text.slice(heard.length);
        unheard.title = "not heard";
        item.append(heard, unheard);
    } else {
        item.append(role === "agent" ? heard : text);
    }
    put(item);
}

function note(words) {
    const item = document.createElement("li");
    item.className = "note";
    item.textContent = words;
    put(item);
}

function put(item) {
    $("lines").append(item);
    item.scrollIntoView({ block: "nearest" });
}

function busy(calling) {
    $("call").hidden = calling;
    $("hang-up").hidden = !calling;
    $("mute").disabled = !calling;
    $("mute").setAttribute("aria-pressed", "false");
    $("lose").disabled = true;
    for (const key of keys) key.disabled = !calling;
    if (calling) $("hang-up").focus();
}

function show(element, words) {
    element.textContent = words;
    element.hidden = !words;
}

function state(words) {
    $("state").textContent = words;
}

function tick() {
    state(duration());
}

function duration() {
    return clockTime((performance.now() - began) / 1000);
}

function clockTime(seconds) {
    const whole = Math.floor(seconds);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** How loud a frame is, from 0 to 1, as an ear would put it. */
function level(ulaw) {
    let most = 0;
    for (const byte of ulaw) most = Math.max(most, Math.abs(DECODED[byte]));
    return Math.sqrt(most / 32_768);
}

function turnKnobs() {
    weather.jitterMs = Number($("jitter").value);
    weather.lossPercent = Number($("loss").value);
    weather.stallMs = Number($("stalls").value);
    const echo = Number($("echo").value);
    $("jitter-out").textContent = `${weather.jitterMs} ms`;
    $("loss-out").textContent = `${weather.lossPercent} %`;
    $("stalls-out").textContent = `${weather.stallMs} ms`;
    $("echo-out").textContent = echo ? `${Math.round(20 * Math.log10(echo / 100))} dB` : "none";
    handset?.post({ echo: echo / 100 });
}

/** Say who answers. */
async function introduce() {
    const response = await fetch("/phone/about");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const { agent, model, file, problem } = await response.json();
    simulated = model === "simulated";
    $("agent").textContent = agent;
    $("about").textContent = [
        file || "the built-in agent",
        simulated ? "a simulated model" : model,
    ].join(" · ");
    if (problem) {
        show($("problem"), `The file has mistakes; the agent is as it was before:\n${problem}`);
    }
}

function press(digit) {
    call?.press(digit);
    const key = keys.find((each) => each.dataset.key === digit);
    key.classList.add("down");
    setTimeout(() => key.classList.remove("down"), 150);
}

$("call").addEventListener("click", place);
$("hang-up").addEventListener("click", () => call?.hangUp());
$("lose").addEventListener("click", () => call?.loseSocket());
$("mute").addEventListener("click", ({ currentTarget }) => {
    const muted = currentTarget.getAttribute("aria-pressed") !== "true";
    currentTarget.setAttribute("aria-pressed", String(muted));
    handset?.post({ muted });
});
for (const key of keys) key.addEventListener("click", () => press(key.dataset.key));
for (const answer of document.querySelectorAll("[data-answer]")) {
    answer.addEventListener("click", () => call?.answer({ answer: answer.dataset.answer }));
}
for (const id of ["jitter", "loss", "stalls", "echo"]) $(id).addEventListener("input", turnKnobs);
document.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
    const typed = event.target instanceof HTMLInputElement;
    if (plain && !typed && handset && /^[0-9*#]$/.test(event.key)) press(event.key);
});
window.addEventListener("pagehide", () => {
    call?.hangUp();
    call?.end();
});

turnKnobs();
introduce().catch(() => show($("problem"), "The server does not answer. Is offhook dev running?"));
