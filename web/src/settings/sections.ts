// The parts of the settings, by name. Light: the palette lists them without loading them.

export interface SettingsSection {
  /** Its place in the address: `#/settings/ID`. */
  id: SectionId;
  title: string;
  /** What else it may be looked for by. */
  words: string;
}

export type SectionId = "providers" | "projects" | "appearance" | "writing" | "notifications" | "keys" | "devices" | "diagnostics" | "about";

export const settingsSections: readonly SettingsSection[] = [
  { id: "providers", title: "Providers", words: "agents kilo codex claude binary custom models upstreams processes restart" },
  { id: "projects", title: "Projects", words: "trust mcp servers tools" },
  { id: "appearance", title: "Appearance", words: "theme light dark look" },
  { id: "writing", title: "Writing", words: "enter queue steer send message" },
  { id: "notifications", title: "Notifications", words: "desktop sound title badge done failed needs you alert" },
  { id: "keys", title: "Keys", words: "keyboard shortcuts bindings" },
  { id: "devices", title: "Devices", words: "pair phone browser revoke access link code" },
  { id: "diagnostics", title: "Diagnostics", words: "processes memory processor problem report errors versions restart" },
  { id: "about", title: "About", words: "version machine address" },
];

/** The section an address means; the first one for none, or for one that is not there. */
export function sectionOf(id: string | undefined): SettingsSection {
  return settingsSections.find((section) => section.id === id) ?? settingsSections[0]!;
}
