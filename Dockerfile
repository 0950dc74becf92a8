# The bot in a container: docs/docker.md says how to run it.
FROM node:22-slim AS build
WORKDIR /build
COPY package.json npm-shrinkwrap.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The files of the package, with its dependencies in the versions of npm-shrinkwrap.json.
RUN npm run build && npm pack --ignore-scripts && tar -xzf lark-bridge-*.tgz
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund && mv node_modules package/

FROM node:22-slim
COPY --from=build /build/package /opt/lark-bridge
RUN ln -s /opt/lark-bridge/bin/lark-bridge.js /usr/local/bin/lark-bridge
# A new volume gets the owner and the mode of this folder.
RUN install --directory --mode=700 --owner=node --group=node /state
ENV LARK_CHANNEL_STATE_DIR=/state
USER node
WORKDIR /home/node
VOLUME /state
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=20s --start-period=30s CMD ["lark-bridge", "status"]
ENTRYPOINT ["lark-bridge"]
CMD ["run"]
