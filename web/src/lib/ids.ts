// Ids made on this side, so that a repeated command gives the same answer.

/** A UUIDv7 as 32 hexadecimal digits: 48 bits of time, then randomness. */
export function uuidv7(now: number = Date.now(), random: Uint8Array = randomBytes()): string {
  const bytes = new Uint8Array(16);
  bytes.set(random.subarray(0, 10), 6);
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 0xff;
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export const newThreadId = () => `thr_${uuidv7()}`;
export const newTurnId = () => `trn_${uuidv7()}`;

function randomBytes(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(10));
}
