/* countersign, MIT OR Apache-2.0 */
var o=class extends Error{name="Problem";status;code;constructor(t,e={}){super(e.detail??e.title??`The server answered ${t}.`),Object.assign(this,e),this.status=t,this.code=e.code}};export{o as Problem};
