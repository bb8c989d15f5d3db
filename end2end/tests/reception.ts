// What lies between a browser and the server, for tests to take away, to slow down and to answer in its place: a proxy with
// an address of its own, so that what a browser keeps of it is no other test's.

import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { baseURL } from "../server";

/** Something the browser asked the server for. */
export interface Asked {
  method: string;
  path: string;
  /** Its `Idempotency-Key`. */
  key?: string;
}

/**
 * What to do with a request: an answer in the server's place; or it is passed on, and the server's answer is `lost` (the
 * connection breaks) or `held` (nothing more comes).
 */
export type Instead = { status: number; headers?: Record<string, string>; body?: string | Buffer } | "lost" | "held";

export class Reception {
  /** What has reached the server, in this order. */
  readonly asked: Asked[] = [];
  /** What happens to a request; nothing: it is passed on. */
  instead: (asked: Asked) => Instead | undefined = () => undefined;
  private isGone = false;
  /** Names of folders, and those under which a later version has them. */
  private renamed: { from: string; to: string }[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Reception> {
    const server = createServer();
    const reception = new Reception(server);
    server.on("request", (incoming, outgoing) => reception.pass(incoming, outgoing));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    return reception;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** From now on nothing comes through. */
  goes(): void {
    this.isGone = true;
    this.server.closeAllConnections();
  }

  comesBack(): void {
    this.isGone = false;
  }

  end(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** How often the server was asked for this. */
  count(method: string, path: RegExp): number {
    return this.asked.filter((asked) => asked.method === method && path.test(asked.path)).length;
  }

  /**
   * Another version of the product: the same files under another name, the classifier's too where that is said to have
   * changed. The old names lead nowhere any more. Says the new one of the page's files.
   */
  async release({ withClassifier = false } = {}): Promise<string> {
    const page = await (await fetch(baseURL)).text();
    const found = [/\/pkg\/([0-9a-f]{16})\//, ...(withClassifier ? [/\/pkg\/device-([0-9a-f]{16})\//] : [])];
    this.renamed = found.map((folder) => {
      const from = folder.exec(page)![1]!;
      const turned = [...from].reverse().join("");
      return { from, to: turned === from ? `${from.slice(1)}0` : turned };
    });
    return this.renamed[0]!.to;
  }

  private pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    if (this.isGone) return void incoming.socket.destroy();
    const { method = "GET", url: path = "/" } = incoming;
    const key = incoming.headers["idempotency-key"];
    const asked: Asked = { method, path, ...(typeof key === "string" && { key }) };
    const instead = this.instead(asked);
    if (typeof instead === "object") {
      incoming.resume();
      outgoing.writeHead(instead.status, instead.headers).end(instead.body);
      return;
    }
    const { renamed } = this;
    const isRenamed = renamed.length > 0;
    if (renamed.some(({ from }) => path.includes(from))) return void outgoing.writeHead(404).end();
    this.asked.push(asked);
    const passed = request(new URL(renamed.reduce((path, { from, to }) => path.replace(to, from), path), baseURL), {
      method,
      // What is to be rewritten has to be read.
      headers: { ...incoming.headers, ...(isRenamed && { "accept-encoding": "identity", "if-none-match": "" }) },
    });
    passed.on("error", () => incoming.socket.destroy());
    passed.on("response", (answer) => {
      if (instead === "held") return void answer.resume();
      if (instead === "lost" || this.isGone) {
        answer.resume();
        return void incoming.socket.destroy();
      }
      const isText = /html|javascript/.test(answer.headers["content-type"] ?? "") && !path.startsWith("/pkg/");
      if (!isRenamed || !isText) {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        return void answer.pipe(outgoing);
      }
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        const { "content-length": _, etag: __, ...headers } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, headers);
        const text = renamed.reduce((text, { from, to }) => text.replaceAll(from, to), Buffer.concat(parts).toString());
        outgoing.end(text.replace(/(version: ?)"[0-9a-f]+"/, `$1"${renamed[0]!.to}"`));
      });
    });
    incoming.pipe(passed);
  }
}
