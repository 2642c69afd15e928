import "./ModelPicker.css";
import { Show } from "solid-js";
import { useBaton } from "../app/baton";
import type { ModelSelection, ProviderId, ProviderStatus } from "../generated/wire";
import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { Popover } from "../ui/Popover";
import { modelName } from "./models";

const ModelPanel = later(async () => (await import("./ModelPanel")).ModelPanel);

export interface ModelPickerProps {
  provider: ProviderId;
  model: ModelSelection | null;
  /** Providers to choose from; a thread keeps the one it has. */
  providers: readonly ProviderStatus[];
  onChoose: (provider: ProviderId, model: ModelSelection) => void;
}

export function ModelPicker(props: ModelPickerProps) {
  const baton = useBaton();
  const provider = () => props.providers.find((p) => p.id === props.provider);
  const models = () => baton.models[props.provider]?.list?.models;
  const name = () => modelName(props.model, models());
  return (
    <Popover
      label={["Model:", name(), props.model?.option ?? "", provider() ? `via ${provider()!.name}` : ""].filter(Boolean).join(" ")}
      title={props.model?.model}
      action="model.choose"
      haspopup="dialog"
      buttonClass="pick pick-model"
      class="model-popover"
      state={props.model ? "chosen" : "none"}
      button={
        <>
          <b class="ellip">{name()}</b>{" "}
          <Show when={props.model?.option}>{(option) => <span class="faint">{option()}</span>}</Show>{" "}
          <Show when={provider()}>{(p) => <span class="pick-via">via {p().name}</span>}</Show>
          <Icon name="chevronDown" size={12} />
        </>
      }
    >
      {(close) => <ModelPanel {...props} close={close} />}
    </Popover>
  );
}
