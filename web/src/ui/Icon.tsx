// The icons: strokes on a 16 px grid, drawn in the text's colour.

const paths = {
  plus: "M8 3.5v9M3.5 8h9",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.2 3.2L13 4.8",
  chevronDown: "M4.5 6.5 8 10l3.5-3.5",
  chevronRight: "M6.5 4.5 10 8l-3.5 3.5",
  chevronLeft: "M9.5 4.5 6 8l3.5 3.5",
  arrowUp: "M8 12.8V3.4M4 7.2l4-4 4 4",
  arrowDown: "M8 3.2v9.4M4 8.8l4 4 4-4",
  send: "M3 8h9.500M8.500 4l4 4-4 4",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2",
  copy: "M5.5 5.5v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2M3.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1Z",
  pin: "M5.8 2.5h4.4M6.3 2.5l-.4 4.2-2 1.9v1h8.2v-1l-2-1.9-.4-4.2M8 9.6v4",
  archive: "M2.5 3h11v3h-11zM3.5 6v6.5a.5.5 0 0 0 .5.5h8a.5.5 0 0 0 .5-.5V6M6.5 8.5h3",
  trash: "M3 4.5h10M6.3 4.5V3h3.4v1.5M4.2 4.5l.6 8.5h6.4l.6-8.5",
  pencil: "M3 13l.5-2.6 7.3-7.3a1 1 0 0 1 1.4 0l.7.7a1 1 0 0 1 0 1.4L5.600 12.500 3 13Z",
  folder: "M2 4.200a.7.7 0 0 1 .7-.7h3.400l1.500 1.700h5.700a.7.7 0 0 1 .7.7v6.400a.7.7 0 0 1-.7.7H2.700a.7.7 0 0 1-.7-.7z",
  settings: "M2.500 5h6.300M12.200 5h1.300M2.500 11h1.300M7.200 11h6.300M10.500 6.700a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400ZM5.500 12.700a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400Z",
  terminal: "M3 4.500 6.300 8 3 11.500M8 11.500h5",
  edit: "M3 13l.5-2.600 7.300-7.300a1 1 0 0 1 1.400 0l.7.7a1 1 0 0 1 0 1.400L5.600 12.500 3 13Z",
  read: "M4 2.500h5.200L12 5.300v8.200H4zM9 2.500v3h3M6 8.500h4M6 11h4",
  web: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM2 8h12M8 2c2 1.800 2.600 3.800 2.600 6S10 12.200 8 14C6 12.200 5.400 10.200 5.400 8S6 3.800 8 2Z",
  plug: "M5.500 2v3M10.500 2v3M3.800 5h8.400v2.300a4.200 4.200 0 0 1-8.400 0zM8 11.500V14",
  agent: "M4 6h8a1 1 0 0 1 1 1v4.500a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1ZM8 6V3.500M8 3.200h.01M6 9h.01M10 9h.01",
  list: "M2.500 4.200l1 1 1.600-1.900M2.500 10.700l1 1 1.600-1.900M7.500 4.500h6M7.500 11h6",
  plan: "M4 2.500h8v11H4zM6 5.500h4M6 8h4M6 10.500h2.500",
  question: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.300 6.300A1.700 1.700 0 0 1 8 4.900c1 0 1.700.7 1.700 1.500 0 1.300-1.700 1.300-1.700 2.600M8 11.200h.01",
  compact: "M3 3.500h10M3 12.500h10M8 5.500v5M6.200 7 8 5.300 9.800 7M6.200 9 8 10.700 9.800 9",
  tool: "M9.700 3.100a3.200 3.200 0 0 0-.4 4.100l-5.700 5.700-.6-.6M9.700 3.100l1.800 1.800 1.700-.5.3 1.500a3.200 3.200 0 0 1-4.200 1.300M3.600 12.900l-.5-.5 5.600-5.600",
  warning: "M8 2.500 14 13H2zM8 6.500v3M8 11.300h.01",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.300v3.700M8 5h.01",
  refresh: "M13 8a5 5 0 1 1-1.500-3.600M13 2.500v2.700h-2.700",
  external: "M6.500 3.500h-3v9h9v-3M9.500 2.800h3.700v3.700M13 3 7.500 8.500",
  stop: "M4.800 4.800h6.400v6.400H4.800z",
  branch: "M4.500 5.500v5M4.500 5.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3ZM4.500 13.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3ZM11.500 6.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3ZM11.500 6.500c0 2.500-3 2.500-6.500 3.200",
  shield: "M8 2.200 13 4v4c0 3-2.200 4.900-5 5.900C5.200 12.900 3 11 3 8V4z",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 5v3.200l2 1.600",
} as const;

export type IconName = keyof typeof paths;

export function Icon(props: { name: IconName; size?: number }) {
  return (
    <svg
      width={props.size ?? 16}
      height={props.size ?? 16}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width={props.name === "more" ? 2 : 1.4}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[props.name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" aria-hidden="true">
      <path d="M4 14 14 4" />
      <circle cx="4" cy="14" r="1.600" fill="currentColor" />
    </svg>
  );
}
