/** The composition root: settings in, running parts out. The only file that knows every room. */
