// One route, opened: what a request holds, and every answer that there can be.
import { type Answer, type ApiDocument, curlOf, exampleOf, type Parameter, resolve, type Route } from "./document";
import { Fields, TypeName } from "./schema";
import { Json, Text } from "./text";

function Parameters({ parameters }: { parameters: Parameter[] }) {
  if (parameters.length === 0) return null;
  return (
    <>
      <h4>Parameters</h4>
      <dl class="fields">
        {parameters.map(({ name, in: place, description, required, schema }) => (
          <div key={`${place} ${name}`}>
            <dt>
              <code>{name}</code> <TypeName schema={schema} />{" "}
              <em>
                {place}
                {required ? ", required" : ""}
              </em>
            </dt>
            <dd>
              <Text text={description} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Body({ document, route }: { document: ApiDocument; route: Route }) {
  const content = route.operation.requestBody?.content;
  const media = Object.values(content ?? {})[0];
  if (!media) return null;
  return (
    <>
      <h4>
        Body: <TypeName schema={media.schema} />
      </h4>
      <Fields document={document} schema={media.schema} />
    </>
  );
}

/** The codes that a problem of this answer may have. */
function codesOf(answer: Answer): string[] {
  const schema = answer.content?.["application/problem+json"]?.schema;
  return (schema?.properties?.["code"]?.enum ?? []) as string[];
}

function AnswerRow({ document, status, answer }: { document: ApiDocument; status: string; answer: Answer }) {
  const media = Object.values(answer.content ?? {})[0];
  const example = status.startsWith("2") ? exampleOf(document, answer.content) : null;
  const codes = codesOf(answer);
  return (
    <li>
      <p>
        <b class={`status status-${status[0]}`}>{status}</b> {media && !codes.length && <TypeName schema={media.schema} />}
      </p>
      <Text text={answer.description} />
      {codes.length > 0 && (
        <p class="codes">
          {codes.map((code) => (
            <code key={code}>{code}</code>
          ))}
        </p>
      )}
      <p class="headers">Headers: {Object.keys(answer.headers ?? {}).join(", ")}</p>
      {example && <Json value={example.value} label={example.summary ?? "Example"} />}
    </li>
  );
}

/** "4XX" comes after "431": '~' is greater than any digit. */
function inOrder(answers: Record<string, Answer>): [string, Answer][] {
  const place = (status: string) => status.replaceAll("X", "~");
  return Object.entries(answers).sort(([a], [b]) => (place(a) < place(b) ? -1 : 1));
}

export function OperationCard({ document, route, open }: { document: ApiDocument; route: Route; open: boolean }) {
  const { operation, method, path, id } = route;
  return (
    <details class="card operation" id={id} open={open}>
      <summary>
        <span class={`method method-${method.toLowerCase()}`}>{method}</span> <code>{path}</code>
        <span class="what">{operation.summary}</span>
      </summary>
      <Text text={operation.description} />
      <p class="limits">{operation.security?.length === 0 ? "Needs no token." : "Needs a token."}</p>
      <Json value={curlOf(document, route, location.origin)} label="Request" />
      <Parameters parameters={route.parameters} />
      <Body document={document} route={route} />
      <h4>Answers</h4>
      <ul class="answers">
        {inOrder(operation.responses).map(([status, answer]) => (
          <AnswerRow key={status} document={document} status={status} answer={resolve(document, answer)} />
        ))}
      </ul>
    </details>
  );
}
