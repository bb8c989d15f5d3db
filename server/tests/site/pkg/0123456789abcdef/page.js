// A file as the front end has them: named by content, and compressed beforehand (page.js.br, page.js.gz).
export const plates = ["soup", "egg", "salad", "bread", "soup", "egg", "salad", "bread", "soup", "egg", "salad", "bread"];
