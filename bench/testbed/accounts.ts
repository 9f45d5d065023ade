/** The password of every account that a bench creates. */
export const PASSWORD = "a bench needs a password";

/** Sends JSON to the API at a Unix socket. */
export const postJson = (unix: string, path: string, body: unknown, cookie?: string) =>
  fetch(`http://localhost/api/v1${path}`, {
    unix,
    method: "POST",
    headers: { "content-type": "application/json", ...(cookie === undefined ? {} : { cookie }) },
    body: JSON.stringify(body),
  });

export const signUp = (unix: string, email: string) =>
  postJson(unix, "/access/signup", { email, password: PASSWORD, confirmPassword: PASSWORD });

/** Signs in, and returns a Cookie header with both tokens. Throws if signing in fails. */
export const signInWithBothTokens = async (unix: string, email: string): Promise<string> =>
  (await cookiesOf(unix, email)).join("; ");

/**
 * Signs in, and returns the Cookie header that a browser sends outside the access operations: the
 * access token without the refresh token. Throws if signing in fails.
 */
export async function signIn(unix: string, email: string): Promise<string> {
  const cookies = await cookiesOf(unix, email);
  return cookies.find((cookie) => /^(__Host-)?access_token=/.test(cookie)) ?? "";
}

/** Signs in as `signIn` does, after signing up if there is no such account. */
export async function signUpAndIn(unix: string, email = "bench@example.com"): Promise<string> {
  await signUp(unix, email);
  return signIn(unix, email);
}

async function cookiesOf(unix: string, email: string): Promise<string[]> {
  const answer = await postJson(unix, "/access/signin", { username: email, password: PASSWORD });
  if (answer.status !== 204) throw new Error(`Signing in failed: ${await answer.text()}`);
  return answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0] as string);
}
