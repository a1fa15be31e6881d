/* placeholder */
document.title = 'poc';
