// What a value is like: its type in a word, and the fields of an object.
import { type ApiDocument, nameOf, resolve, type Schema } from "./document";
import { Text } from "./text";

function limitsOf(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = schema;
  const range = (low: number | undefined, high: number | undefined, what: string) => {
    if (low === undefined && high === undefined) return "";
    if (high === undefined) return `at least ${low}${what}`;
    return low === undefined ? `at most ${high}${what}` : `${low} to ${high}${what}`;
  };
  const parts = [
    range(minimum, maximum, ""),
    range(minLength, maxLength, " characters"),
    range(minItems, maxItems, " elements"),
    schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** A type in a word or two; named ones lead to their description. */
export function TypeName({ schema }: { schema: Schema }) {
  if (schema.$ref) return <a href={`#schema-${nameOf(schema.$ref)}`}>{nameOf(schema.$ref)}</a>;
  if (schema.enum) return <>{schema.enum.map((value) => JSON.stringify(value)).join(" | ")}</>;
  if (schema.const !== undefined) return <>{JSON.stringify(schema.const)}</>;
  if (schema.anyOf) {
    return (
      <>
        {schema.anyOf.map((one, place) => (
          <span key={place}>
            {place > 0 && " | "}
            <TypeName schema={one} />
          </span>
        ))}
      </>
    );
  }
  if (schema.items) {
    return (
      <>
        list of <TypeName schema={schema.items} />
      </>
    );
  }
  return <>{[schema.type ?? "anything"].flat().join(" | ")}</>;
}

function Field({ document, name, schema, needed }: { document: ApiDocument; name: string; schema: Schema; needed: boolean }) {
  const whole = { ...resolve(document, schema), ...schema };
  return (
    <div>
      <dt>
        <code>{name}</code> <TypeName schema={schema} /> {!needed && <em>optional</em>}
      </dt>
      <dd>
        <Text text={whole.description} />
        {limitsOf(whole) && <p class="limits">{limitsOf(whole)}</p>}
      </dd>
    </div>
  );
}

export function Fields({ document, schema }: { document: ApiDocument; schema: Schema }) {
  const { properties, required = [] } = resolve(document, schema);
  if (!properties) return null;
  return (
    <dl class="fields">
      {Object.entries(properties).map(([name, field]) => (
        <Field key={name} document={document} name={name} schema={field} needed={required.includes(name)} />
      ))}
    </dl>
  );
}

/** A named type with all that is known of it. */
export function NamedSchema({ document, name }: { document: ApiDocument; name: string }) {
  const schema = document.components.schemas[name]!;
  return (
    <section class="card" id={`schema-${name}`} aria-label={name}>
      <h3>
        {name} {!schema.properties && <small><TypeName schema={schema} /></small>}
      </h3>
      <Text text={schema.description} />
      {limitsOf(schema) && <p class="limits">{limitsOf(schema)}</p>}
      {schema.pattern && <code class="pattern">{schema.pattern}</code>}
      <Fields document={document} schema={schema} />
    </section>
  );
}
