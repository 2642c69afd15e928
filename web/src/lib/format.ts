// How times, durations, sizes and money read. All pure: the current time is passed in.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, in the fewest characters: `now`, `4m`, `2h`, `yesterday`, `3d`, `12 Mar`. */
export function age(at: number, now: number): string {
  const passed = Math.max(0, now - at);
  if (passed < MINUTE) return "now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)}m`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)}h`;
  const days = calendarDays(at, now);
  if (days <= 1) return "yesterday";
  if (days < 7) return `${days}d`;
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return new Date(at).toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
  });
}

/** The clock time of today, with the day in front when it was another one. */
export function clock(at: number, now: number): string {
  const time = new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const days = calendarDays(at, now);
  if (days === 0) return time;
  if (days === 1) return `yesterday ${time}`;
  return `${new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${time}`;
}

/** The exact moment, for a tooltip. */
export function exact(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** A span of time: `0.4 s`, `8.2 s`, `42 s`, `3 min 5 s`, `1 h 12 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 ? `${minutes} min ${whole % 60} s` : `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${Math.floor(minutes / 60)} h`;
}

/** A number of tokens: `940`, `7.6k`, `76k`, `1.2M`. */
export function count(n: number): string {
  if (n < 1000) return String(n);
  if (n < 9950) return `${trim((n / 1000).toFixed(1))}k`;
  if (n < 999_500) return `${Math.round(n / 1000)}k`;
  return `${trim((n / 1_000_000).toFixed(1))}M`;
}

/** A number of UTF-16 units as a size to read: `900 B`, `12 KB`, `3.4 MB`. */
export function size(units: number): string {
  if (units < 1024) return `${units} B`;
  if (units < 1024 * 1024) return `${Math.round(units / 1024)} KB`;
  return `${trim((units / 1024 / 1024).toFixed(1))} MB`;
}

/** US dollars: `$0.41`, `$0.0042`, `$12.30`; nothing for nothing. */
export function money(dollars: number): string {
  if (dollars <= 0) return "";
  if (dollars < 0.0001) return "<$0.0001";
  if (dollars < 0.01) return `$${trim(dollars.toFixed(4))}`;
  return `$${dollars.toFixed(2)}`;
}

/** A price per million tokens: `$3`, `$0.25`. */
export function price(dollars: number): string {
  return `$${trim(dollars.toFixed(dollars < 1 ? 3 : 2))}`;
}

/** `1 file`, `2 files`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** `1st`, `2nd`, `3rd`, `4th`. */
export function nth(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;
}

function trim(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function calendarDays(at: number, now: number): number {
  const start = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((start(now) - start(at)) / DAY);
}

/** A text cut at what stands between single backticks. */
export function codePieces(text: string): { text: string; code: boolean }[] {
  // Every second piece is what was cut out.
  const pieces = text.split(/(?<!`)`([^`\n]+)`(?!`)/).map((text, i) => ({ text, code: i % 2 === 1 }));
  return pieces.filter((piece) => piece.text);
}
