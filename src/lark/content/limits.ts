/**
 * What Lark takes, and how much of it we use. Each limit names its source:
 * [message] "Send a message" and "Send message content structure", [card] "Card JSON 2.0 structure",
 * [rich text] and [table] the components of that name in card JSON 2.0, [ours] a decision of ours.
 */
export const LIMITS = {
  /** [message] The body of a request with a text message. */
  textBodyBytesMax: 150 * 1024,
  /** [ours] How much of it the content may fill. The other fields need some 300 bytes. */
  textContentBytesMax: 145 * 1024,
  /** [message] The body of a request with a card or a post. */
  cardBodyBytesMax: 30 * 1024,
  /**
   * [ours] How much of such a body the content may fill. "Style tags make the real size larger than the body that
   * was sent" [message], and the other fields of the request need some 300 bytes.
   */
  cardContentBytesMax: 26 * 1024,
  /** [card] Components and text elements of a card. */
  cardElementsMax: 200,
  /** [ours] Elements that we fill. The number of a part and the summary need a few. */
  cardElementsUsed: 190,
  /** [table] Tables of a card. */
  cardTablesMax: 5,
  /** [card] Characters of one element. The limit of 30 KB is reached earlier. */
  elementCharsMax: 100_000,
  /** [table] Rows on one page of a table. */
  tableRowsAPage: 10,
  /** [ours] A column needs 80 px [table], and a card is 600 px wide [card]. */
  tableColumnsMax: 7,
  /** [ours] A longer cell does not fit into the highest row that a table can have. */
  tableCellCharsMax: 300,
  /** [ours] The same with addresses of links, so that each row fits into a card. */
  tableCellWeightMax: 1_200,
  /** [ours] A plain answer stays a text up to this size: a longer one is easier to read as a card. */
  plainCharsMax: 1_000,
  plainLinesMax: 10,
  /** [ours] No paragraph is longer, so that each one fits into a card however many signs are escaped. */
  paragraphCharsMax: 3_000,
  /** [ours] Browsers and proxies take addresses up to about this length. A longer one is shown as text. */
  linkCharsMax: 2_000,
  /** [ours] The line that the list of chats shows of a card. */
  summaryCharsMax: 120,
  /** [ours] An answer of 1 MB fits, which is as much as a program may say. A longer one becomes a file. */
  partsMax: 60,
  /** [ours] More than that of one answer is not read as Markdown, except for its code. */
  markdownCharsMax: 100_000,
  /** [ours] Quotes and lists inside each other. People stop to follow much earlier. */
  nestingMax: 12,
} as const;
