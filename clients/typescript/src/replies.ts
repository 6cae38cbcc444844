/** What came over HTTP, and the error that it stands for. */

import { exactValue } from "./exact.js";
import { type Refused, refused } from "./problems.js";

/** An answer over HTTP. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  requestId: string;
}

/** The error for a status; that of a proxy tells nothing but the status. */
export function refusedBy({ status, headers, text, requestId }: Reply): Refused {
  if (headers.get("content-type")?.split(";")[0] === "application/problem+json") {
    return refused(exactValue(text), requestId);
  }
  const detail = "what answered gave no reason; it may be a proxy before the service";
  return refused({ type: "about:blank", title: "There is no answer", status, detail }, requestId);
}
