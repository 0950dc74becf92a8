export const BRIDGE_SCHEMA = '';
