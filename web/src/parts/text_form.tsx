// Writing: a text field with a button, for posts and for comments.
import { useId, useState } from "preact/hooks";

export const maxCodePoints = 10_000;

interface TextFormProps {
  label: string;
  button: string;
  /** Does what the button is for; true where it is done, then the text is cleared. */
  onSubmit: (text: string) => Promise<boolean>;
}

export function TextForm({ label, button, onSubmit }: TextFormProps) {
  const [text, setText] = useState("");
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
        rows={1}
        dir="auto"
        placeholder={label}
        value={text}
        aria-describedby={`${id}-end`}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form!.requestSubmit();
        }}
      />
      <div class="text-form-end" id={`${id}-end`}>
        {tooMany > 0 && <small class="wrong">{tooMany} characters too many</small>}
        <button type="submit" class="primary" disabled={!sendable}>
          {button}
        </button>
      </div>
    </form>
  );
}
