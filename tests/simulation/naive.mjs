// A deliberately naive client, to see the simulation find what it is for: no locks, no giving up, and any refusal is
// the end.

export function createSession({ environment }) {
  let state = { status: 'unknown' };
  let token = null;
  const listeners = new Set();
  const set = (next) => {
    state = next;
    for (const listener of listeners) listener(state);
  };
  const send = (address, init = {}) =>
    environment.fetch(address, { ...init, headers: { ...init.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) } });
  const learn = async (response) => {
    if (!response.ok) return set({ status: 'signed-out' });
    const body = await response.json().catch(() => ({}));
    token = body.access_token ?? token;
    return set({ status: 'active', session: body.session });
  };
  const refresh = async () => learn(await environment.fetch('/session/refresh', { method: 'POST' }));
  const json = (body) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  const session = {
    current: {
      get: () => state,
      subscribe: (listener) => (listeners.add(listener), listener(state), () => listeners.delete(listener)),
    },
    async fetch(address, init) {
      let response = await send(address, init);
      if (response.status !== 401) return response;
      await refresh();
      response = await send(address, init);
      return response;
    },
    async login(address, body) {
      await learn(await send(address, json(body)));
      return state.session;
    },
    async logout() {
      await send('/session/logout', { method: 'POST' });
      set({ status: 'signed-out' });
    },
    extend: refresh,
    list: async () => (await session.fetch('/session/list')).json(),
    endOthers: async () => session.fetch('/session/logout-others', { method: 'POST' }),
    admit: async () => {},
    close() {},
  };
  refresh().catch(() => {});
  return session;
}
