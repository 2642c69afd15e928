// Two short notes, made on the spot: nothing is loaded for them.

import type { Kind } from "./notify";

/** The notes of each kind of news in Hz: up for what is done, a third for a question, down for a failure. */
const notes: Record<Kind, readonly [number, number]> = { done: [523, 784], needs: [659, 880], failed: [392, 294] };
const NOTE_SECONDS = 0.14;
const LOUDNESS = 0.12;

let context: AudioContext | undefined;

/** Plays them; browsers are silent until a person has done something on the page. */
export async function play(kind: Kind): Promise<boolean> {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 500))]);
    if (context.state !== "running") return false;
    notes[kind].forEach((pitch, i) => note(context!, pitch, context!.currentTime + i * NOTE_SECONDS));
    return true;
  } catch {
    return false;
  }
}

function note(context: AudioContext, pitch: number, at: number): void {
  const [tone, loud] = [context.createOscillator(), context.createGain()];
  tone.type = "sine";
  tone.frequency.value = pitch;
  // No click at either end.
  loud.gain.setValueAtTime(0, at);
  loud.gain.linearRampToValueAtTime(LOUDNESS, at + 0.01);
  loud.gain.exponentialRampToValueAtTime(0.001, at + NOTE_SECONDS * 1.6);
  tone.connect(loud).connect(context.destination);
  tone.start(at);
  tone.stop(at + NOTE_SECONDS * 1.7);
}
