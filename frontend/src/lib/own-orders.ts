/** Keys of the orders that this page has sent: their refusals stand in the ticket and need no notice beside it. */
const keys = new Set<string>();
const KEYS_MAX = 200;

export function rememberOwnOrder(key: string): void {
  keys.add(key);
  const [oldest] = keys;
  if (keys.size > KEYS_MAX && oldest !== undefined) keys.delete(oldest);
}

export function isOwnOrder(clientOrderId: string): boolean {
  return keys.has(clientOrderId);
}
