/** The shape of a tree of texts, whatever they say: another language has the same keys. */
export type Texts<Tree> = { [Key in keyof Tree]: Tree[Key] extends string ? string : Texts<Tree[Key]> };
