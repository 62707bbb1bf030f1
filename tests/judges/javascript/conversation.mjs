// A conversation by the JavaScript SDK: greeted, understood and answered; talking over an answer;
// then resumed with the handle. Prints what it was sent as JSON, for the test that runs it.
//
//     node conversation.mjs BASE_URL RATE_HZ QUESTION.pcm OTHER_QUESTION.pcm
//
// The questions are PCM16 little-endian, mono.
import { readFile } from "node:fs/promises";
import { GoogleGenAI, Modality } from "@google/genai";

const FRAME_MS = 20;

const [baseUrl, rateHz, ...paths] = process.argv.slice(2);
const [question, otherQuestion] = await Promise.all(paths.map((path) => readFile(path)));
const client = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl, apiVersion: "v1beta" } });

/** One session, and all that it received. */
class Conversation {
  received = [];
  #read = 0;
  #waiting = null;

  static async open(handle) {
    const conversation = new Conversation();
    conversation.session = await client.live.connect({
      model: "gemini-3.8-live",
      config: {
        responseModalities: [Modality.AUDIO],
        inputAudioTranscription: {},
        outputAudioTranscription: {},
        sessionResumption: { handle },
      },
      callbacks: {
        onmessage: (message) => conversation.#receive(message),
        onclose: ({ code, reason }) => conversation.#end(`closed with ${code} ${reason}`),
        onerror: ({ message }) => conversation.#end(message),
      },
    });
    return conversation;
  }

  /**
   * Resolves with the first message that is wanted, of those behind the last one that was. Several
   * messages may come at once, and so the next one may be here before it is asked for.
   */
  next(wanted) {
    return new Promise((resolve, reject) => {
      this.#waiting = { wanted, resolve, reject };
      this.#look();
    });
  }

  say(pcm) {
    const frameBytes = (rateHz * FRAME_MS * 2) / 1000;
    for (let at = 0; at < pcm.length; at += frameBytes) {
      const data = pcm.subarray(at, at + frameBytes).toString("base64");
      this.session.sendRealtimeInput({ audio: { data, mimeType: `audio/pcm;rate=${rateHz}` } });
    }
    this.session.sendRealtimeInput({ audioStreamEnd: true });
  }

  /** What was received from message `from` on. */
  since(from) {
    const messages = this.received.slice(from);
    const contents = messages.map(({ serverContent }) => serverContent ?? {});
    const text = (name) => contents.map((content) => content[name]?.text ?? "").join("");
    const parts = contents.flatMap(({ modelTurn }) => modelTurn?.parts ?? []);
    const audio = parts.map(({ inlineData }) => Buffer.from(inlineData.data, "base64"));
    return {
      audio: Buffer.concat(audio).toString("base64"),
      mimeTypes: [...new Set(parts.map(({ inlineData }) => inlineData.mimeType))],
      said: text("outputTranscription"),
      understood: text("inputTranscription"),
      interrupted: contents.some(({ interrupted }) => interrupted),
    };
  }

  #receive(message) {
    this.received.push(message);
    this.#look();
  }

  #look() {
    while (this.#waiting !== null && this.#read < this.received.length) {
      const message = this.received[this.#read++];
      if (this.#waiting.wanted(message)) {
        this.#waiting.resolve(message);
        this.#waiting = null;
      }
    }
  }

  #end(why) {
    this.#waiting?.reject(new Error(why));
  }
}

const handled = (message) => message.sessionResumptionUpdate?.newHandle;
const spoken = (message) => message.serverContent?.modelTurn;
const interrupted = (message) => message.serverContent?.interrupted;

const first = await Conversation.open();
await first.next(handled);
first.session.sendRealtimeInput({ text: "Greet the caller." });
await first.next(handled);
const greeting = first.since(0);

const from = first.received.length;
first.say(question);
await first.next(spoken);
first.say(otherQuestion);
await first.next(interrupted);
await first.next(spoken);
const handle = handled(await first.next(handled));
const talkedOver = first.since(from);
first.session.close();

const second = await Conversation.open(handle);
await second.next(handled);
second.say(otherQuestion);
await second.next(handled);
const resumed = second.since(0);
second.session.close();

console.log(JSON.stringify({ greeting, talkedOver, resumed, handle }));
