/** How the shim gets to know where the tools are, and who asks for them. */
export const ADDRESS_VARIABLE = 'LARK_BRIDGE_TOOLS_URL';
export const TOKEN_VARIABLE = 'LARK_BRIDGE_TOOLS_TOKEN';
