// `npm run dev`: the page with live reload. With BATON_URL it talks to that server; without, to
// the small in-memory one beside this file.

import { defineConfig, mergeConfig } from "vite";
import base from "../vite.config.ts";
import { stub } from "./stub.ts";

const server = process.env.BATON_URL;

export default mergeConfig(
  base,
  defineConfig({
    plugins: server ? [] : [stub()],
    server: {
      host: "127.0.0.1",
      ...(server && {
        proxy: { "/api": { target: server, changeOrigin: true, ws: true, headers: { origin: server } } },
      }),
    },
  }),
);
