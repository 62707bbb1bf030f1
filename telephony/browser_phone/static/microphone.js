/** Opens microphone and loudspeaker, and says in words why that is not possible. */

/** Why a call cannot begin. The message is for the person at the page. */
export class NoMicrophone extends Error {}

const WHY = {
    NotAllowedError:
        "The browser was told not to let this page use the microphone. Allow it beside the address, " +
        "or in the browser’s settings, and call again.",
    NotFoundError:
        "No microphone was found. Connect one, or switch it on in the system’s settings, and call " +
        "again.",
    NotReadableError:
        "Another program holds the microphone, or the system does not let the browser use it. " +
        "Close the other program, or allow it in the system’s settings, and call again.",
    SecurityError:
        "The browser forbids microphones here. Use the address that offhook dev has printed.",
};

/**
 * Open both. Call this from a click: browsers want one before they make a sound.
 *
 * @param {{cancelsEcho: boolean, take: (message: object) => void}} options What the handset tells
 *     goes to `take`.
 * @returns {Promise<{post: (message: object) => void, close: () => void, name: string}>}
 * @throws {NoMicrophone}
 */
export async function openHandset({ cancelsEcho, take }) {
    const context = new AudioContext({ latencyHint: "interactive" });
    let stream;
    try {
        stream = await openMicrophone(cancelsEcho);
        await context.audioWorklet.addModule("/phone/worklet.js");
        await context.resume();
    } catch (error) {
        for (const track of stream?.getTracks() ?? []) track.stop();
        await context.close();
        throw error;
    }
    const microphone = context.createMediaStreamSource(stream);
    const handset = new AudioWorkletNode(context, "handset", {
        numberOfInputs: 1,
        numberOfOutputs: 1,
        outputChannelCount: [1],
        channelCount: 1,
        channelCountMode: "explicit",
    });
    handset.port.onmessage = ({ data }) => take(data);
    microphone.connect(handset);
    handset.connect(context.destination);
    const [track] = stream.getAudioTracks();
    track.onended = () => take({ ended: true });
    return {
        name: track.label,
        post: (message) => handset.port.postMessage(message),
        close: () => {
            track.onended = null;
            track.stop();
            handset.port.postMessage({ over: true });
            handset.disconnect();
            microphone.disconnect();
            context.close();
        },
    };
}

async function openMicrophone(cancelsEcho) {
    if (!navigator.mediaDevices?.getUserMedia) throw new NoMicrophone(WHY.SecurityError);
    try {
        return await navigator.mediaDevices.getUserMedia({
            audio: {
                channelCount: 1,
                echoCancellation: cancelsEcho,
                noiseSuppression: false,
                autoGainControl: false,
            },
        });
    } catch (error) {
        const why = WHY[error.name] ?? `The microphone cannot be used (${error.name}).`;
        throw new NoMicrophone(why, { cause: error });
    }
}
