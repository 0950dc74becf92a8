export const HUB_SCHEMA = '';
