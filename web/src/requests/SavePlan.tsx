import { Icon } from "../ui/Icon";
import { later } from "../ui/later";
import { Popover } from "../ui/Popover";

const SavePlanForm = later(async () => (await import("./SavePlanForm")).SavePlanForm);

/** Saves a plan to a file of the project; its text may still have to be fetched. */
export function SavePlan(props: { text: () => string | Promise<string> }) {
  return (
    <Popover button={<Icon name="save" size={14} />} buttonClass="icon-btn" label="Save the plan to a file" title="Save the plan to a file" haspopup="dialog" align="end">
      {(close) => <SavePlanForm text={props.text} onDone={close} />}
    </Popover>
  );
}
