/** A failure that the page itself found. Its message is a whole sentence that says what to do. */
export class PageError extends Error {
  override name = "PageError";
}
