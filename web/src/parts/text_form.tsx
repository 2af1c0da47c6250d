// Writing: a text field with a button, for posts and for comments.
import { useEffect, useId, useRef, useState } from "preact/hooks";

export const maxCodePoints = 10_000;

interface TextFormProps {
  label: string;
  button: string;
  /** Does what the button is for; true where it is done, then the text is cleared. */
  onSubmit: (text: string) => Promise<boolean>;
  /** What is written anew: the field begins with it, and has the focus. */
  before?: string;
  /** Leaves the text as it was. */
  onCancel?: () => void;
}

export function TextForm({ label, button, onSubmit, before, onCancel }: TextFormProps) {
  const [text, setText] = useState(before ?? "");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (before === undefined) return;
    field.current!.focus();
    field.current!.setSelectionRange(before.length, before.length);
  }, []);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const tooMany = [...text].length - maxCodePoints;
  const sendable = !busy && text.trim() !== "" && tooMany <= 0;

  const submit = async () => {
    setBusy(true);
    if (await onSubmit(text)) setText("");
    setBusy(false);
  };

  return (
    <form
      class="text-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (sendable) void submit();
      }}
    >
      <label for={id} class="hidden">
        {label}
      </label>
      <textarea
        id={id}
        ref={field}
        rows={1}
        dir="auto"
        placeholder={label}
        value={text}
        aria-describedby={`${id}-end`}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form!.requestSubmit();
          if (event.key === "Escape") onCancel?.();
        }}
      />
      <div class="text-form-end" id={`${id}-end`}>
        {tooMany > 0 && <small class="wrong">{tooMany} characters too many</small>}
        {onCancel && (
          <button type="button" class="quiet" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" class="primary" disabled={!sendable}>
          {button}
        </button>
      </div>
    </form>
  );
}
