// The page at /docs: the API's OpenAPI document, for people.
import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { type ApiDocument, type Route, routesOf } from "./docs/document";
import { OperationCard } from "./docs/operation";
import { NamedSchema } from "./docs/schema";
import { Text } from "./docs/text";

async function load(): Promise<ApiDocument> {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`/openapi.json was answered with ${response.status}: try again in a moment.`);
  return (await response.json()) as ApiDocument;
}

/** What the address names behind '#'; follows it. */
function useFragment(): string {
  const [fragment, setFragment] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = () => setFragment(location.hash.slice(1));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return fragment;
}

function matches({ method, path, operation }: Route, wanted: string): boolean {
  const text = `${method} ${path} ${operation.operationId} ${operation.summary}`.toLowerCase();
  return wanted.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function Tag({ document, tag, routes, fragment }: { document: ApiDocument; tag: ApiDocument["tags"][0]; routes: Route[]; fragment: string }) {
  if (routes.length === 0) return null;
  return (
    <section id={`tag-${tag.name}`}>
      <h2>
        {tag.name} <small>{tag.description}</small>
      </h2>
      {routes.map((route) => (
        <OperationCard key={route.id} document={document} route={route} open={route.id === fragment} />
      ))}
    </section>
  );
}

function Contents({ document }: { document: ApiDocument }) {
  return (
    <nav aria-label="Contents">
      {document.tags.map(({ name }) => (
        <a key={name} href={`#tag-${name}`}>
          {name}
        </a>
      ))}
      <a href="#schemas">types</a>
    </nav>
  );
}

function Shown({ document }: { document: ApiDocument }) {
  const [wanted, setWanted] = useState("");
  const fragment = useFragment();
  const routes = useMemo(() => routesOf(document), [document]);
  const found = routes.filter((route) => matches(route, wanted));
  // What the address names exists only now.
  useEffect(() => window.document.getElementById(fragment)?.scrollIntoView(), [fragment]);
  return (
    <main class="docs">
      <header>
        <h1>{document.info.title}: the API</h1>
        <p>
          {document.info.summary}. For programs: <a href="/openapi.json">/openapi.json</a>
        </p>
        <Text text={document.info.description} />
        <Text text={document.components.securitySchemes["token"]?.description} />
        <p>
          The requests below take the token from <code>$TOKEN</code>:{" "}
          <code>TOKEN=$(novafeed token --data DIR --user ext:ada)</code>, with the server's data directory and whose
          token it is.
        </p>
        <Contents document={document} />
        <label class="field">
          Find a route
          <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </label>
        <p role="status">{found.length === 1 ? "1 route" : `${found.length} routes`}</p>
      </header>
      {document.tags.map((tag) => (
        <Tag
          key={tag.name}
          document={document}
          tag={tag}
          routes={found.filter(({ operation }) => operation.tags[0] === tag.name)}
          fragment={fragment}
        />
      ))}
      <section id="schemas">
        <h2>types</h2>
        {Object.keys(document.components.schemas).map((name) => (
          <NamedSchema key={name} document={document} name={name} />
        ))}
      </section>
    </main>
  );
}

function Docs() {
  const [document, setDocument] = useState<ApiDocument | null>(null);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    load().then(setDocument, (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)));
  }, []);
  if (failure) return <p role="alert">{failure}</p>;
  return document ? <Shown document={document} /> : <p role="status">Loading…</p>;
}

render(<Docs />, document.getElementById("docs")!);
