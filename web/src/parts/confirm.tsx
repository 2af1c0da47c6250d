// A question before something is done that cannot be taken back.
import { useEffect, useId, useRef } from "preact/hooks";
import type { Question } from "../session";

interface Props {
  question: Question;
  onAnswer: (yes: boolean) => void;
}

/** Open as long as it is there. Escape is a no, and so is what a key hits that was pressed too early. */
export function Confirm({ question: { title, text, button }, onAnswer }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog
      class="card confirm"
      ref={dialog}
      aria-labelledby={id}
      aria-describedby={`${id}-text`}
      onClose={(event) => onAnswer(event.currentTarget.returnValue === "yes")}
    >
      <h2 id={id}>{title}</h2>
      <p id={`${id}-text`}>{text}</p>
      <div class="confirm-end">
        <button type="button" onClick={() => dialog.current!.close()}>
          Keep it
        </button>
        <button type="button" class="danger" onClick={() => dialog.current!.close("yes")}>
          {button}
        </button>
      </div>
    </dialog>
  );
}
