# A node of Tributary: what runs, and nothing to build with. The topology file is mounted, secrets come by the environment.
FROM node:24.21.0-bookworm-slim

# What is compiled stays in the image: a start takes two fifths less processor time.
ENV NODE_ENV=production NODE_COMPILE_CACHE=/var/cache/tributary
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional && rm -rf ~/.npm
COPY node node
COPY migrations migrations
COPY poc poc
RUN ln -s /app/node/main.ts /usr/local/bin/tributary && install -d -o node -g node /var/spool/tributary /var/cache/tributary

USER node
RUN tributary --help >/dev/null
EXPOSE 8080
# Alive, not healthy: a link that is down is no reason to start the process again.
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.TRIBUTARY_LIVEZ ?? 'http://127.0.0.1:8080/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tributary"]
CMD ["run"]
