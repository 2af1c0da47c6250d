// The OpenAPI document as far as the page shows it. References stay in it: `resolve` follows them.

export interface Reference {
  $ref?: string;
}

export interface Schema extends Reference {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

export interface Example extends Reference {
  summary?: string;
  value?: unknown;
}

export type Content = Record<string, { schema: Schema; examples?: Record<string, Example> }>;

export interface Parameter extends Reference {
  name: string;
  in: string;
  description?: string;
  required?: boolean;
  schema: Schema;
  example?: unknown;
}

export interface Header extends Reference {
  description?: string;
  required?: boolean;
  schema: Schema;
}

export interface Answer extends Reference {
  description: string;
  headers?: Record<string, Header>;
  content?: Content;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, Answer>;
  security?: unknown[];
}

export interface ApiDocument {
  info: { title: string; version: string; summary: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation> & { parameters?: Parameter[] }>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, { description: string }> };
}

const methods = ["get", "post", "put", "patch", "delete"];

/** One route: a method and a path. */
export interface Route {
  id: string;
  method: string;
  path: string;
  parameters: Parameter[];
  operation: Operation;
}

/** What a reference leads to; what stands beside the reference is not of it. */
export function resolve<T extends Reference>(document: ApiDocument, node: T): T {
  if (!node.$ref) return node;
  const names = node.$ref.split("/").slice(1);
  const found = names.reduce((part, name) => (part as Record<string, unknown>)[name], document as unknown) as T;
  return resolve(document, found);
}

/** "#/components/schemas/User" -> "User" */
export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

export function routesOf(document: ApiDocument): Route[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      if (!operation) return [];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      const resolved = parameters.map((parameter) => resolve(document, parameter));
      return [{ id: operation.operationId, method: method.toUpperCase(), path, parameters: resolved, operation }];
    }),
  );
}

/** The first example of a message, if it has one. */
export function exampleOf(document: ApiDocument, content: Content | undefined): Example | null {
  const media = Object.values(content ?? {})[0];
  const example = Object.values(media?.examples ?? {})[0];
  return example ? resolve(document, example) : null;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command line that sends this request; $TOKEN is the reader's. */
export function curlOf(document: ApiDocument, { method, path, parameters, operation }: Route, origin: string): string {
  const valueOf = ({ name, example }: Parameter) => String(example ?? name);
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((one) => one.name === name);
    return parameter ? valueOf(parameter) : name;
  });
  const needed = parameters.filter((parameter) => parameter.in === "query" && parameter.required);
  const query = needed.map((parameter) => `${parameter.name}=${valueOf(parameter)}`).join("&");
  const url = origin + filled + (query && `?${query}`);
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(url)}`];
  if (operation.security?.length !== 0) lines.push(`-H "Authorization: Bearer $TOKEN"`);
  const body = exampleOf(document, operation.requestBody?.content);
  if (body) lines.push(`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(body.value))}`);
  return lines.join(" \\\n  ");
}
