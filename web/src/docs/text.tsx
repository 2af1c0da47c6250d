// Text of the document: paragraphs, and `code` between backticks. Nothing of it is markup.

function Line({ text }: { text: string }) {
  return <>{text.split("`").map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part))}</>;
}

export function Text({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <>
      {text.split("\n\n").map((paragraph, place) => (
        <p key={place}>
          <Line text={paragraph} />
        </p>
      ))}
    </>
  );
}

export function Json({ value, label }: { value: unknown; label: string }) {
  return (
    <figure class="sample">
      <figcaption>{label}</figcaption>
      <pre tabIndex={0}>{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre>
    </figure>
  );
}
