// Writing: a text field with a button, for posts and for comments.
import { useId, useState } from "preact/hooks";

export const maxCodePoints = 10_000;

interface TextFormProps {
  label: string;
  button: string;
  rows: number;
  /** The text is cleared once this is done; on an error it must not throw. */
  onSubmit: (text: string) => Promise<void>;
}

export function TextForm({ label, button, rows, onSubmit }: TextFormProps) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const id = useId();
  const length = [...text].length;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    await onSubmit(text);
    setBusy(false);
    setText("");
  };

  return (
    <form class="text-form" onSubmit={(event) => void submit(event)}>
      <label for={id} class="hidden">
        {label}
      </label>
      <textarea
        id={id}
        rows={rows}
        dir="auto"
        placeholder={label}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="text-form-end">
        {length > maxCodePoints && <small class="wrong">{length - maxCodePoints} characters too many</small>}
        <button type="submit" class="primary" disabled={busy || text.trim() === "" || length > maxCodePoints}>
          {button}
        </button>
      </div>
    </form>
  );
}

export function Compose({ onPost }: { onPost: (text: string) => Promise<void> }) {
  return (
    <div class="panel compose">
      <TextForm label="What is new?" button="Post" rows={2} onSubmit={onPost} />
    </div>
  );
}
