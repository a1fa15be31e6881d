/**
 * COPY among pipelined statements. pg can send no data in a pipeline, because libpq can not; the protocol can: statement
 * and data leave together, and a server whose COPY failed, or never began because a statement before it failed, ignores
 * the data that still comes (PostgreSQL manual, "COPY Operations"). The answer is one, as of any statement.
 */
import pg from 'pg';

/** What we use of pg's Connection, which its types leave out. */
interface Wire {
  readonly stream: { cork(): void; uncork(): void; write(bytes: Buffer): void };
  query(text: string): void;
  endCopyFrom(): void;
}

export class CopyIn extends pg.Query {
  readonly #text: string;
  readonly #messages: Buffer;

  /** @param messages whole CopyData messages */
  constructor(
    text: string,
    messages: Buffer,
    done: (error: Error | undefined, result: { readonly rowCount: number | null }) => void,
  ) {
    super({ text }, done);
    this.#text = text;
    this.#messages = messages;
  }

  override submit = (connection: unknown): void => {
    const wire = connection as Wire;
    wire.stream.cork();
    wire.query(this.#text);
    wire.stream.write(this.#messages);
    wire.endCopyFrom();
    wire.stream.uncork();
  };

  /** Called by pg; the data is on its way already. */
  handleCopyInResponse(): void {}
}
