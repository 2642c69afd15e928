// What the agent said in a turn, as one text.

import { api } from "../api/client";
import type { TurnId } from "../generated/wire";
import type { ThreadScope } from "./context";

export async function answerOf(scope: ThreadScope, turn: TurnId): Promise<string> {
  const messages = scope.list(turn).flatMap((id) => {
    const item = scope.item(id);
    return item?.content.kind === "agent_message" ? [item] : [];
  });
  const texts = await Promise.all(messages.map(async (item) => (item.body?.omitted ? (await api.itemBody(scope.id, item.id)).text : (item.body?.head ?? ""))));
  return texts.join("\n\n");
}
